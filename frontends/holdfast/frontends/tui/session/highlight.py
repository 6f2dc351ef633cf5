"""Colours for code, line by line: comments, strings, numbers and the words of the language. Small, and good to read by.

Line by line, because a block is shown while it is still being written: what is finished is never looked at again.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from holdfast.frontends.tui.session.text import Span

_WORDS: Final = {
    "python": "and as assert async await break case class continue def del elif else except finally for from global if "
    "import in is lambda match nonlocal not or pass raise return try while with yield True False None self",
    "js": "async await break case catch class const continue debugger default delete do else export extends finally "
    "for from function if import in instanceof interface let new of return static super switch this throw try type "
    "typeof var void while with yield true false null undefined enum implements private public readonly as",
    "rust": "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move "
    "mut pub ref return self Self static struct super trait type unsafe use where while true false",
    "go": "break case chan const continue default defer else fallthrough for func go goto if import interface map "
    "package range return select struct switch type var true false nil",
    "c": "auto bool break case catch char class const constexpr continue default delete do double else enum explicit "
    "extern final float for friend goto if inline int long namespace new noexcept nullptr operator override private "
    "protected public return short signed sizeof static struct switch template this throw try typedef typename union "
    "unsigned using virtual void volatile while true false null import package extends implements interface abstract "
    "synchronized throws var val fun when",
    "shell": "if then else elif fi for in do done while until case esac function return local export readonly declare "
    "set unset exit trap source echo cd sudo",
    "sql": "select from where and or not insert into values update set delete create table index view drop alter add "
    "primary key foreign references join left right inner outer on as group by order having limit offset union all "
    "distinct null is in between like exists case when then else end begin commit rollback",
    "ruby": "begin break case class def do else elsif end ensure false for if in module next nil not or redo rescue "
    "retry return self super then true undef unless until when while yield require",
    "config": "true false null yes no on off",
}
_NAMES: Final = {
    "python": "py python python3 pyi",
    "js": "js jsx ts tsx javascript typescript mjs cjs",
    "rust": "rs rust",
    "go": "go golang",
    "c": "c h cpp cc hpp java kt kotlin cs csharp swift scala dart php css scss",
    "shell": "sh bash zsh shell console fish dockerfile makefile make",
    "sql": "sql",
    "ruby": "rb ruby",
    "config": "json jsonc yaml yml toml ini",
}
_FAMILIES: Final = {name: family for family, names in _NAMES.items() for name in names.split()}
_HASH: Final = ("python", "shell", "ruby", "config")
_LONGEST: Final = 2_000
"""Characters of a line beyond which it has no colours: it is data."""


class _Grammar(NamedTuple):
    pattern: re.Pattern[str]
    words: frozenset[str]
    fold: bool


class Highlighter:
    """Colours the lines of one block, in order."""

    def __init__(self, language: str) -> None:
        """Begin a block; a language that is not known has no colours."""
        family = _FAMILIES.get(language.lower())
        self._changes = language.lower() in ("diff", "patch")
        self._grammar = None if family is None else _grammar(family)
        self._open = ""

    def line(self, text: str) -> list[Span]:
        """Return the next line in its colours."""
        if self._changes:
            return [Span(text, _change(text))]
        if self._grammar is None or len(text) > _LONGEST:
            return [Span(text)]
        return self._coloured(text, self._grammar)

    def peek(self, text: str) -> list[Span]:
        """Return a line that may still grow in its colours."""
        kept = self._open
        try:
            return self.line(text)
        finally:
            self._open = kept

    def _coloured(self, text: str, grammar: _Grammar) -> list[Span]:
        found: list[Span] = []
        at = 0
        if self._open:
            end = text.find(self._open)
            style = "code.comment" if self._open == "*/" else "code.string"
            if end < 0:
                return [Span(text, style)]
            at = end + len(self._open)
            found.append(Span(text[:at], style))
            self._open = ""
        while at < len(text):
            match = grammar.pattern.search(text, at)
            if match is None:
                break
            if match.start() > at:
                found.append(Span(text[at : match.start()]))
            at = self._take(text, match, grammar, found)
        if at < len(text):
            found.append(Span(text[at:]))
        return found

    def _take(self, text: str, match: re.Match[str], grammar: _Grammar, found: list[Span]) -> int:
        piece = match[0]
        if match["long"]:
            close = "*/" if piece == "/*" else piece
            end = text.find(close, match.end())
            style = "code.comment" if piece == "/*" else "code.string"
            if end < 0:
                self._open = close
                end = len(text)
            else:
                end += len(close)
            found.append(Span(text[match.start() : end], style))
            return end
        if match["word"]:
            word = match["word"]
            known = (word.lower() if grammar.fold else word) in grammar.words
            called = text[match.end() : match.end() + 1] == "("
            found.append(Span(word, "code.keyword" if known else "code.call" if called else ""))
        else:
            style = "comment" if match["comment"] else "string" if match["string"] else "number"
            found.append(Span(piece, f"code.{style}"))
        return match.end()


def _change(text: str) -> str:
    kinds = (("+++", "dim"), ("---", "dim"), ("+", "diff.added"), ("-", "diff.removed"), ("@@", "diff.skip"))
    return next((style for begin, style in kinds if text.startswith(begin)), "")


@cache
def _grammar(family: str) -> _Grammar:
    comment = "#.*" if family in _HASH else "--.*" if family == "sql" else "//.*"
    long = [] if family in _HASH else [r"/\*"]
    if family == "python":
        long += ['"""', "'''"]
    if family in ("js", "go"):
        long.append("`")
    pattern = re.compile(
        rf"(?P<long>{'|'.join(long) or '(?!)'})"
        rf"|(?P<comment>{comment})"
        r"""|(?P<string>"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$))"""
        r"|(?P<number>\b(?:0[xob][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\b)"
        r"|(?P<word>[A-Za-z_$][\w$]*)"
    )
    return _Grammar(pattern, frozenset(_WORDS[family].split()), family == "sql")
