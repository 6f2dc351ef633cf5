"""Standard output and standard error. Nothing reaches either but through here, and text is made harmless on its way."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TextIO

from holdfast.domain.errors import HoldfastError
from holdfast.frontends.cli.escaping import ascii_json, block, escaped, json_for_terminal, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "cyan": "36"}


class Span(NamedTuple):
    """Text in a style: words out of `bold dim red green yellow blue cyan`."""

    text: str
    style: str = ""


Part = str | Span
Line = tuple[Part, ...]


class ReaderGoneError(Exception):
    """Whoever read our standard output has closed it, as `head` does. No failure."""


class OutputError(HoldfastError):
    """The answer could not be written, as on a full disk."""


class Terminal:
    """Where a verb's answer goes.

    Attributes:
        is_terminal: Whether standard output is a terminal.
        shows_progress: Whether standard error is a terminal that can redraw a line.
        can_ask: Whether somebody is there to answer a question.
        styled: Whether styles are shown.
        unicode: Whether more than ASCII can be shown.
        width: Cells in a line; None where lines may be of any length.
    """

    def __init__(self) -> None:
        """Look at the process's streams and environment."""
        self._out = _channel(sys.stdout)
        smart = os.environ.get("TERM", "dumb") != "dumb"
        self.is_terminal = _is_terminal(sys.stdout)
        self.shows_progress = smart and _is_terminal(sys.stderr)
        self.can_ask = _is_terminal(sys.stdin) and _is_terminal(sys.stderr)
        self.styled = self.is_terminal and smart and not os.environ.get("NO_COLOR")
        self.unicode = _utf8(sys.stdout)
        self.width = _columns(sys.stdout) if self.is_terminal else None
        # Text on a pipe keeps its letters even where the locale says nothing of any.
        self._encoding = "utf-8" if self.unicode or (not self.is_terminal and _names_utf8(sys.stdout)) else "ascii"

    def line(self, *parts: Part) -> None:
        """Print one line."""
        self._write("".join(map(self._shown, parts)) + "\n")

    def lines(self, lines: Iterable[Line]) -> None:
        """Print several lines, each in its own parts."""
        for parts in lines:
            self.line(*parts)

    def json(self, document: bytes) -> None:
        """Print a JSON document: indented for people, compact for programs."""
        if self.is_terminal:
            from msgspec.json import format as indented  # most verbs need none

            document = indented(document, indent=2)
        self.record(document)

    def record(self, document: bytes) -> None:
        """Print JSON as it is, and end the line."""
        if self.is_terminal:
            text = json_for_terminal(document.decode())
            document = (text if self.unicode else ascii_json(text)).encode()
        self._write(document + b"\n")

    def text(self, *parts: Part) -> None:
        """Print text that may have several lines, and leave the last one open."""
        self._write("".join(self._shown(part, block) for part in parts))

    def document(self, piece: bytes) -> None:
        """Print a piece of a document as it is; on a terminal, without what one would obey."""
        if self.is_terminal:
            self._write(block(piece.decode()))
        else:
            self._write(piece)

    def clear(self) -> None:
        """Begin with an empty screen, where there is one."""
        if self.styled or self.shows_progress:
            self._write(b"\x1b[2J\x1b[H")

    def flush(self) -> None:
        """Hand everything over to whoever reads."""
        try:
            self._out.flush()
        except OSError as error:
            raise self._lost(error) from error

    def ask(self, question: str) -> bool:
        """Ask on standard error; only `y` or `yes` is a yes."""
        self.flush()
        _say(f"{one_line(question)} [y/N] ", end="")
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            _say("")  # the end of input leaves the cursor behind the question
        return answer.strip().lower() in ("y", "yes")

    def _shown(self, part: Part, harmless: Callable[[str], str] = escaped) -> str:
        if isinstance(part, str):
            return harmless(part)
        text = harmless(part.text)
        if not (self.styled and part.style and text):
            return text
        codes = ";".join(_CODES[word] for word in part.style.split())
        return f"\x1b[{codes}m{text}\x1b[0m"

    def _write(self, what: str | bytes) -> None:
        data = what if isinstance(what, bytes) else what.encode(self._encoding, "backslashreplace")
        try:
            self._out.write(data)
            if self.is_terminal:
                self._out.flush()
        except OSError as error:
            raise self._lost(error) from error

    def _lost(self, error: OSError) -> Exception:
        self._abandon()
        if isinstance(error, BrokenPipeError):
            return ReaderGoneError()
        return OutputError(f"standard output cannot be written: {error.strerror}")

    def _abandon(self) -> None:
        """Let what is still buffered go nowhere, or the interpreter would try again at its own end."""
        stdout = _present(sys.stdout)
        if stdout is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stdout.fileno())
            os.close(nowhere)


def typed() -> bytes:
    """Return all of standard input, as it is."""
    stdin = _present(sys.stdin)
    return b"" if stdin is None else stdin.buffer.read()


def note(message: str) -> None:
    """Tell the person something beside the answer: one line on standard error."""
    _say(escaped(message))


def warn(message: str) -> None:
    """Tell the person of something that is not as it should be."""
    note(f"holdfast: warning: {one_line(message)}")


def complain(message: str) -> None:
    """Tell the person why there is no answer: what happened, to what, and what to do, on one line."""
    note(f"holdfast: {one_line(message)}")


def _say(text: str, end: str = "\n") -> None:
    stream = _present(sys.stderr)
    if stream is None:
        return
    encoding = "utf-8" if _utf8(stream) or not _is_terminal(stream) else "ascii"
    channel = _channel(stream)
    try:
        channel.write((text + end).encode(encoding, "backslashreplace"))
        channel.flush()
    except OSError:
        return  # there is nowhere left to say so


def _channel(stream: TextIO | None) -> BinaryIO:
    """Return the stream for bytes below a stream for text; one that is not there swallows everything."""
    if stream is None:
        return io.BytesIO()
    stream.flush()
    if isinstance(stream.buffer, io.RawIOBase):
        # PYTHONUNBUFFERED leaves a bare file, which may take less than it is given.
        return open(stream.fileno(), "wb", closefd=False)
    return stream.buffer


def _present(stream: TextIO | None) -> TextIO | None:
    """Say what the types of `sys` do not: there is no stream where the process was started with it closed."""
    return stream


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _columns(stream: TextIO) -> int:
    """Return the cells in a line. Not by `shutil`, whose import costs more than the rest of this module."""
    told = os.environ.get("COLUMNS", "")
    try:
        return int(told) if told.isdecimal() and int(told) else os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def _names_utf8(stream: TextIO | None) -> bool:
    return stream is not None and (stream.encoding or "").lower().replace("-", "") == "utf8"


def _utf8(stream: TextIO | None) -> bool:
    """Tell whether the stream's reader expects UTF-8, by the locale's own name.

    In the C locale Python pretends to be in `C.UTF-8` and even sets LC_CTYPE; that says nothing about the terminal.
    """
    if not _names_utf8(stream):
        return False
    if not sys.flags.utf8_mode or os.environ.get("PYTHONUTF8") == "1":
        return True
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return locale.lower().replace("-", "").partition("@")[0].endswith("utf8")
