"""Two dozen strings that a terminal would obey, or a person not see, and a library with them in every field."""

from __future__ import annotations

import re

from msgspec import Raw, json

from holdfast.domain.answers import Behind, Check, FirstBad, Found, Verification
from holdfast.domain.content import of_text
from holdfast.domain.errors import StoreDamagedError
from holdfast.domain.recorded import Actor
from holdfast.domain.session import events as e
from tests.frontends.cli.memory import MemoryLibrary

HOSTILE = (
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b[6n",
    "\x1b[?1049h",
    "\x1b[1;1H",
    "\x1bc",
    "\x1b(0",
    "\x9b31m",
    "\x9d0;title\x9c",
    "\x90q\x9c",
    "\x85next line",
    "a\rb",
    "a\x08\x08b",
    "\x07bell",
    "\x0e\x0f\x00\x0b\x0c",
    "\x7fdelete",
    "abc\u202edcba",
    "\u2066isolate\u2069\u202a\u202b\u202c\u202d\u2067\u2068",
    "\u200e\u200f\u061cmarks",
    "zero\u200bwidth\u200d\u2060\ufeff\xad",
    "line\u2028para\u2029graph",
    "\U000e0041\U000e0042tags",
    "[bold red]markup[/] [link=https://evil.example]x[/link]",
)

OURS = re.compile(r"\x1b\[(?:0|1|2|31|32|33|36|1;33|1;34)m")
"""The only sequences that the command line itself prints."""

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def harm_in(printed: str, *, styled: bool) -> list[str]:
    """Return what of it a terminal would obey, or not show, beside our own styles and line ends."""
    text = printed.replace("\r\n", "\n")
    return _HARMFUL.findall(OURS.sub("", text) if styled else text)


def hostile_library(evil: str) -> MemoryLibrary:
    """Return a library with `evil` in every text that anything prints."""
    library = MemoryLibrary()
    raw = Raw(json.encode({evil: evil, "more": [evil, {evil: evil}], "long": f"{evil}\n" * 50}))
    blocks = Raw(json.encode([{"type": "text", "text": evil}, {"type": evil, "x": evil}, {"type": "image"}]))
    say = Actor("human", evil)
    library.happened(
        f"id-{evil}",
        e.SessionCreated("acp", "owner", target=evil, agent=evil, cwd=f"/{evil}", title=f"name {evil}", model=evil),
        e.Attached("link"),
        e.MessageSent(f"m1{evil}", of_text(f"# {evil}\n```\n{evil}\n```\n`{evil}` **{evil}**"), author=evil),
        e.TurnStarted(f"t1{evil}"),
        e.ThoughtAppended(f"th{evil}", f"{evil}\n{evil}"),
        e.TextAppended(f"a1{evil}", f"{evil}\n\t{evil}", thread=evil),
        e.TextAppended("a2", evil),
        e.ToolCalled(f"c1{evil}", evil, title=evil, kind=evil, status="failed", input=raw, output=blocks),
        e.ToolCalled("c2", evil, title=evil, output=Raw(json.encode(evil * 300)), input=Raw(json.encode(evil))),
        e.PlanChanged("p", Raw(json.encode([{"content": evil, "status": evil}, evil]))),
        e.NoticeAdded(f"n1{evil}", evil, evil),
        e.NoticeAdded("n2", evil, f"{evil}\n" * 3),
        e.RawReceived("r1", evil, raw),
        e.ModeChanged(evil),
        e.PermissionRequested(f"q1{evil}", None, evil, raw, (e.Option(evil, evil, evil),), "hash"),
        e.PermissionRequested("q2", None, evil, raw, (e.Option("once", evil, evil),), "hash"),
        e.PermissionAnswered("q2", evil, "hash", reason=evil),
        e.TurnInterrupted(f"t1{evil}", evil),
        actor=say,
        cause=evil,
    )
    library.happened(
        "down", e.SessionCreated("acp", "owner", title=evil), e.Attached("l"), e.Detached("l", "failed", evil)
    )
    library.happened("over", e.SessionCreated("acp", "owner", title=evil), e.SessionEnded(evil, evil))
    library.health = [Check(evil, ok=False, detail=evil), Check("ok", ok=True, detail=evil)]
    library.on_machine = [Found(evil, f"/{evil}", 3, 4096)]
    library.views = {evil: evil}
    library.verification = Verification(
        ok=False,
        checked=3,
        first_bad=FirstBad(1, evil, 1, "tampered"),
        behind=Behind(1, 2),
        cannot_know=[evil],
        notes=[evil],
    )
    return library


def broken_library(evil: str) -> MemoryLibrary:
    """Return a library that cannot be opened, and says so in hostile words."""
    library = MemoryLibrary()
    library.broken = StoreDamagedError(f"{evil} is damaged; restore it")
    return library


def command_lines(evil: str) -> list[list[str]]:
    """Return every verb as it is used on the hostile library, and as nobody should use it."""
    name = f"id-{evil}".replace("\x00", "")
    plain = [
        *(["ls"], ["ls", "--all"], ["show", "down"], ["show", "over"], ["show", "--last", "3", "id-"], ["inbox"]),
        *(["events"], ["verify"], ["rebuild"], ["rebuild", "--check"], ["doctor"], ["import"], ["import", "--yes"]),
        *([verb, name] for verb in ("show", "peek", "read", "unread", "mute", "pin", "rm")),
        *(["mute", "down", "--for", "2h"], ["rename", "down", f"new {evil}".replace("\x00", "")]),
        *(["export", name, "--format", kind] for kind in ("md", "html", "jsonl", evil)),
        *(["show", name, "--until", "5"], ["verify", evil.replace("\x00", "")]),
        *(
            ["search", "cwd:/", "--limit", "100"],
            ["search", "in:down"],
        ),
        *(["rm", "over", "--yes"], ["import", evil.replace("\x00", "")], ["show", f"no {evil}"]),
    ]
    wrong = [
        [evil],
        ["ls", f"--{evil}"],
        ["ls", evil],
        ["show", "down", "--last", evil],
        ["mute", "down", "--for", evil],
        ["search", f'"{evil}'],
        ["search", f"before:{evil}"],
    ]
    return [*plain, *([*line, "--json"] for line in plain), *wrong]
