"""What is being written and not yet sent, in a file for each session: it outlives the daemon and this program."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from msgspec import MsgspecError, Struct, field, json

if TYPE_CHECKING:
    from pathlib import Path


def _new_id() -> str:
    return uuid4().hex


class Draft(Struct, omit_defaults=True):
    """A message that is not sent.

    Attributes:
        text: What was typed.
        id: Our name for it, the same until it has arrived: sent twice, it is still one message.
        pasted: Long texts that were pasted; they go before what was typed.
        files: Files that were named with `@`, relative to the session's folder.
    """

    text: str = ""
    id: str = field(default_factory=_new_id)
    pasted: list[str] = field(default_factory=list[str])
    files: list[str] = field(default_factory=list[str])

    def __bool__(self) -> bool:
        return bool(self.text.strip() or self.pasted)


_decode = json.Decoder(Draft).decode
_encode = json.Encoder().encode


class Drafts:
    """The drafts of a home; without a folder they are kept as long as this program runs."""

    def __init__(self, folder: Path | None) -> None:
        """Keep them in a folder, which is made with the first one."""
        self._folder = folder
        self._held: dict[str, Draft] = {}

    def load(self, session: str) -> Draft:
        """Return the draft of a session; an empty one where there is none, or where its file cannot be read."""
        if self._folder is None:
            return self._held.get(session) or Draft()
        try:
            return _decode(self._path(session).read_bytes())
        except (OSError, MsgspecError, UnicodeDecodeError):
            return Draft()

    def save(self, session: str, draft: Draft) -> None:
        """Keep a draft; an empty one leaves nothing.

        Raises:
            OSError: It cannot be written.
        """
        if self._folder is None:
            self._held[session] = draft
            return
        path = self._path(session)
        if not draft:
            path.unlink(missing_ok=True)
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(_encode(draft))
            part.replace(path)
        except OSError:
            with suppress(OSError):  # what it could not write is no use either
                part.unlink()
            raise

    def _path(self, session: str) -> Path:
        assert self._folder is not None
        name = "".join(letter if letter.isalnum() or letter in "-_" else f"%{ord(letter):x}" for letter in session)
        return self._folder / f"{name[:200]}.json"
