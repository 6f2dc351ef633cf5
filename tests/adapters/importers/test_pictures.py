"""Pictures in the transcripts of every tool: whole in what is imported, and beside the log in a store."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from holdfast.adapters.storage.opening import open_store
from holdfast.bootstrap.library import LocalLibrary
from tests.adapters.importers import claude_lines as claude
from tests.adapters.importers import codex_lines as codex
from tests.adapters.importers import gemini_chats as gemini
from tests.adapters.importers import opencode_store as opencode
from tests.adapters.importers import test_acp as acp
from tests.adapters.importers.claude_lines import written
from tests.adapters.importers.memory_log import MemoryLog
from tests.adapters.storage.attached import block, kept, name_of, picture

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Transcript = Callable[[Path], Path]

SHOWN, READ = picture(1), picture(2)
ADDRESS = f"data:image/png;base64,{b64encode(SHOWN).decode()}"


def of_claude(folder: Path) -> Path:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [claude.picture(READ)]}
    return written(
        folder / "t.jsonl",
        claude.user([claude.said("look"), claude.picture(SHOWN)]),
        claude.assistant({"type": "tool_use", "id": "t1", "name": "Read", "input": {}}),
        claude.user([result], uuid="u2", at=2),
    )


def of_codex(folder: Path) -> Path:
    said = [{"type": "input_text", "text": "look"}, {"type": "input_image", "image_url": ADDRESS}]
    lines = [codex.meta(), codex.context(), codex.item("message", role="user", content=said)]
    seen = [{"type": "input_image", "image_url": f"data:image/png;base64,{b64encode(READ).decode()}"}]
    return written(folder / "t.jsonl", *lines, codex.called(), codex.came(output=seen))


def of_gemini(folder: Path) -> Path:
    data = {"mimeType": "image/png", "data": b64encode(SHOWN).decode()}
    return gemini.chat(
        folder / "session-1.json", gemini.message("user", "m1", [{"text": "look"}, {"inlineData": data}])
    )


def of_opencode(folder: Path) -> Path:
    parts = (opencode.text("p1", "look"), opencode.part("file", "p2", filename="a.png", url=ADDRESS, mime="image/png"))
    return opencode.stored(folder, opencode.message("msg_1", "user", *parts))


def of_acp(folder: Path) -> Path:
    seen = [{"type": "content", "content": block(READ)}]
    said = [{"type": "text", "text": "look"}, block(SHOWN)]
    asked = acp.call("session/prompt", 2, sessionId=acp.SESSION, prompt=said)
    used = acp.used("c1", title="Read", status="completed", content=seen)
    more = acp.used(
        "c1", "tool_call_update", content=[*seen, {"type": "content", "content": {"type": "text", "text": "a"}}]
    )
    return written(folder / "t.jsonl", *acp.OPENED, asked, used, more)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transcript", "pictures"),
    [
        (of_claude, (SHOWN, READ)),
        (of_codex, (SHOWN, READ)),
        (of_gemini, (SHOWN,)),
        (of_opencode, (SHOWN,)),
        (of_acp, (SHOWN, READ)),
    ],
)
def test_pictures_are_kept_beside_the_log_and_come_again_only_once(
    transcript: Transcript, pictures: tuple[bytes, ...], tmp_path: Path
) -> None:
    path = transcript(tmp_path / "of")
    library = LocalLibrary({"HOLDFAST_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}, print)
    with library.writing() as workspace:
        assert workspace.import_([str(path)]).sessions == 1
        assert workspace.import_([str(path)]).events == 0
        stored = max(len(bytes(each.data or b"")) for each in workspace.events())
        assert workspace.verify().ok

    assert stored < 10_000
    with open_store(library.settings, write=False, environ={}) as store:
        assert kept(store) == {name_of(each): len(each) for each in pictures}


@pytest.mark.parametrize("transcript", [of_claude, of_codex, of_gemini, of_opencode, of_acp])
def test_a_message_with_a_picture_names_it(transcript: Transcript, tmp_path: Path) -> None:
    log = MemoryLog()
    log.take(transcript(tmp_path))

    assert next(item.text for item in log.items() if item.role == "user") == "look\n[image]"
