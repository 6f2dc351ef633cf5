"""Which files an import is about: named ones, those in folders, and those that known tools keep on this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from holdfast.adapters.importers.transcript import FORMATS, Transcript, transcripts_in
from holdfast.domain.answers import Found
from holdfast.domain.errors import NotFoundError, TranscriptError
from holdfast.domain.exported import CHAIN_NAME, CHECKPOINTS_NAME, SUMS_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


_FILE = re.compile(r".*\.jsonl|session-.*\.json|ses_[^.]*\.json|opencode[^.]*\.db")
"""Names of files that are looked into in folders: all JSONL, and documents and databases as the tools name them."""

_BUNDLE = frozenset({CHAIN_NAME, CHECKPOINTS_NAME, SUMS_NAME})
"""Files that tell a folder for an evidence bundle; they vouch for the session beside them, and hold none."""


class Plan(Struct, frozen=True):
    """What an import will read.

    Attributes:
        transcripts: In the order in which they are read.
        named: Those that were named one by one, and so must be readable.
        bytes: All the transcripts have.
    """

    transcripts: tuple[Transcript, ...]
    named: frozenset[Path]
    bytes: int


def plan(
    sources: Sequence[str], environ: Mapping[str, str], say: Callable[[str], None], *, empty: bool = False
) -> Plan:
    """Return what to read for `sources`; looks at the first lines of every file.

    Args:
        sources: Files, folders, names of tools.
        environ: Environment of the process.
        say: Told what is left out of folders.
        empty: Whether a folder may hold none, as yet.

    Raises:
        NotFoundError: A path does not exist, or a tool has no transcripts here.
        TranscriptError: A named file holds no transcript, or a folder none at all.
    """
    transcripts: dict[tuple[int, int, str], Transcript] = {}
    named: set[Path] = set()
    foreign = 0
    for source in sources:
        folders = folders_of(source, environ)
        if not folders:
            path = Path(source)
            _add(transcripts, path)
            named.add(path)
            continue
        known = len(transcripts)
        seen = 0
        for path in (path for folder in folders for path in files_in(folder, _teller(folders, say))):
            try:
                _add(transcripts, path)
                seen += 1
            except (TranscriptError, OSError):
                foreign += 1
        if not (seen or empty) and len(transcripts) == known:
            raise _none_in(source)
    if foreign:
        say(f"{foreign} {'file holds' if foreign == 1 else 'files hold'} no transcript")
    todo = tuple(transcripts.values())
    return Plan(todo, frozenset(named), sum(each.size for each in todo))


def check(sources: Sequence[str], environ: Mapping[str, str], *, empty: bool = False) -> None:
    """Look whether each of `sources` has something to import; reads no further into a folder than its first transcript.

    Args:
        sources: Files, folders, names of tools.
        environ: Environment of the process.
        empty: Whether a folder may hold none, as yet.

    Raises:
        NotFoundError: A path does not exist, or a tool has no transcripts here.
        TranscriptError: A named file holds no transcript, or a folder none at all.
    """
    for source in sources:
        folders = folders_of(source, environ)
        if not folders:
            transcripts_in(Path(source))
        elif not empty and not any(_is_transcript(path) for folder in folders for path in files_in(folder)):
            raise _none_in(source)


def found(environ: Mapping[str, str]) -> list[Found]:
    """Return the transcripts of known tools on this machine. Looks at folders, reads no file."""
    all_found: list[Found] = []
    for each in FORMATS:
        for root in each.roots(environ):
            sizes = [path.stat().st_size for path in files_in(root) if path.is_file()]
            if sizes:
                all_found.append(Found(each.name, str(root), len(sizes), sum(sizes)))
    return all_found


def files_in(folder: Path, unreadable: Callable[[Path, OSError], None] | None = None) -> Iterator[Path]:
    """Yield what may hold a transcript in `folder` and below it, files of a folder before those of the folders in it.

    Files of sub-agents come after those of the sessions that they belong to. Links are followed, each folder is
    entered once, and one that cannot be read is left out, after `unreadable` was told.
    """
    if folder.is_file():  # the database of a tool
        yield folder
        return
    entered: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            identity = _identity(here)
            if identity in entered:
                continue
            entries = sorted(os.scandir(here), key=lambda entry: (entry.name.startswith("agent-"), entry.name))
        except OSError as error:
            if unreadable is not None:
                unreadable(here, error)
            continue
        entered.add(identity)
        beside = _BUNDLE if {entry.name for entry in entries} >= _BUNDLE else frozenset[str]()
        yield from (
            Path(entry.path)
            for entry in entries
            if _FILE.fullmatch(entry.name) and entry.name not in beside and not _is_folder(entry)
        )
        waiting.extend(Path(entry.path) for entry in reversed(entries) if _is_folder(entry))


def folders_of(source: str, environ: Mapping[str, str]) -> list[Path]:
    """Return the folders that `source` stands for, and databases of a tool; none, where it is a file.

    Raises:
        NotFoundError: It does not exist.
        TranscriptError: It cannot be looked at, or listed.
    """
    for each in FORMATS:
        if each.name == source and (places := each.roots(environ)):
            roots = [root for root in places if root.exists()]
            if not roots:
                listed = f"{', '.join(map(str, places))} {'does' if len(places) == 1 else 'do'} not exist"
                msg = f"there are no transcripts of {source} here: {listed}"
                raise NotFoundError(msg)
            return [root for root in roots if root.is_file() or _listed(root)]
    if not source:  # a path of no name would be the folder one happens to stand in
        msg = "a source without a name does not exist: name a file, a folder or a tool"
        raise NotFoundError(msg)
    path = Path(source)
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        msg = f"{source} does not exist"
        raise NotFoundError(msg) from error
    except (OSError, ValueError) as error:
        msg = f"{source} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise TranscriptError(msg) from error
    return [path] if path.is_dir() and _listed(path) else []


def _listed(folder: Path) -> bool:
    """Return True, or say why not: a folder that was named and cannot be read is no empty one."""
    try:
        with os.scandir(folder):
            return True
    except OSError as error:
        msg = f"{folder} cannot be read: {error.strerror or error}"
        raise TranscriptError(msg) from error


def _teller(folders: Sequence[Path], say: Callable[[str], None]) -> Callable[[Path, OSError], None]:
    def unreadable(folder: Path, error: OSError) -> None:
        if folder not in folders:
            say(f"{folder} cannot be read ({error.strerror or error}); what is in it was not imported")

    return unreadable


def _add(transcripts: dict[tuple[int, int, str], Transcript], path: Path) -> None:
    """Add what a file holds, unless that was found under another name."""
    for each in transcripts_in(path):
        transcripts.setdefault((*_identity(path), each.session_id), each)


def _is_transcript(path: Path) -> bool:
    try:
        transcripts_in(path)
    except (TranscriptError, OSError):
        return False
    return True


def _none_in(source: str) -> TranscriptError:
    return TranscriptError(f"{source} holds no transcript of a known kind ({', '.join(each.name for each in FORMATS)})")


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
