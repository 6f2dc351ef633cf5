"""A transcript as one HTML file: no script, nothing fetched, every text escaped; a policy in it forbids the rest."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from holdfast.adapters.exporters.document import Entry, Part, counted, entry, facts, pieces, title, told
from holdfast.domain.timestamps import to_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.domain.exported import Removed
    from holdfast.domain.projections.items import Item
    from holdfast.domain.projections.roster import Row

_STYLE = """
:root { color-scheme: light dark; --fg: #1c1e21; --dim: #5c636b; --bg: #fff; --soft: #f3f4f6; --line: #d5d9de }
@media (prefers-color-scheme: dark) {
  :root { --fg: #e4e6e9; --dim: #9aa2ab; --bg: #16181b; --soft: #202327; --line: #363b41 }
}
body { margin: 0 auto; padding: 2rem 1rem; max-width: 52rem; background: var(--bg); color: var(--fg);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0 0 2rem; font-size: .9rem }
dt, header, footer, summary { color: var(--dim) }
dd { margin: 0 }
article { border-top: 1px solid var(--line); padding: .8rem 0 }
article.message header b { font-size: 1.05rem }
header { font-size: .85rem } header b { color: var(--fg) }
.user { border-left: 3px solid #3367d6; padding-left: .8rem }
.said { white-space: pre-wrap; margin: .4rem 0 }
.thought .said, .notice .said { color: var(--dim) }
pre { background: var(--soft); padding: .7rem; margin: .5rem 0; overflow-x: auto;
  font: .85rem/1.45 ui-monospace, monospace;
  white-space: pre-wrap }
summary { cursor: pointer; font-size: .85rem }
img { max-width: 100%; height: auto; display: block; margin: .5rem 0 }
footer { border-top: 1px solid var(--line); padding-top: 1rem; font-size: .85rem }
@media print { details { display: block } body { max-width: none } }
"""
_SUM = b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_SUM}'; img-src data:; base-uri 'none'; form-action 'none'"
_LONG = 30


def document(row: Row, items: Iterator[Item], clean: Callable[[str], str], removed: Removed) -> Iterator[bytes]:
    """Yield the document in pieces; memory for one item."""
    name = escape(title(row, clean))
    about = "".join(f"<dt>{key}</dt><dd dir=auto>{escape(value)}</dd>\n" for key, value in facts(row, clean))
    yield _bytes(
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="generator" content="Holdfast">\n'
        f"<title>{name}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1 dir=auto>{name}</h1>\n<dl>\n{about}</dl>\n<main>\n"
    )
    for number, item in enumerate(counted(items, removed), 1):
        shown = entry(item, row, clean, with_pictures=not removed.looked)
        yield _bytes(_article(number, item.role == "user", shown))
    yield _bytes(f"</main>\n<footer>{escape(told(removed))}</footer>\n</body>\n</html>\n")


def _article(number: int, by_person: bool, shown: Entry) -> str:
    marks = f"{shown.kind} user" if by_person else shown.kind
    at = to_text(shown.at)
    notes = "".join(f" · {escape(note)}" for note in shown.notes)
    head = f'<header><b dir=auto>{escape(shown.who)}</b> · <time datetime="{at}">{at}</time>{notes}</header>\n'
    return f'<article id="i{number}" class="{marks}">\n{head}{"".join(map(_part, shown.parts))}</article>\n'


def _part(part: Part) -> str:
    if part.kind == "picture":
        return f'<img alt="An image of this session" src="{escape(part.text)}">\n'
    if part.kind == "prose":
        return "".join(_piece(language, text) for language, text in pieces(part.text))
    body = f"<pre dir=auto>{escape(part.text)}</pre>"
    lines = part.text.count("\n") + 1
    if not part.label:
        return f"{body}\n"
    opened = "" if lines > _LONG else " open"
    counted = "1 line" if lines == 1 else f"{lines} lines"
    return f"<details{opened}><summary>{part.label}, {counted}</summary>{body}</details>\n"


def _piece(language: str | None, text: str) -> str:
    if language is None:
        text = text.strip("\n")
        return f"<div class=said dir=auto>{escape(text)}</div>\n" if text else ""
    return f"<pre dir=auto>{escape(text)}</pre>\n"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
