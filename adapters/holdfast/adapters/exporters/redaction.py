"""Takes secrets out of text: by the shapes that providers give them, and by the values that this machine holds.

No pattern knows every secret. What is recognised goes, whole; a text that still shows something after that goes whole.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from holdfast.domain.exported import Removed

SHORTEST: Final = 4
"""Characters that a known value has at least; shorter ones would be found in every second word."""

WITHHELD = "[redacted: all of this text]"

_WHOLE_WORD_BELOW = 8
_SECRET_NAME = re.compile(
    r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|(?:\A|_)PASS)S?(_BASE|_?[0-9]{1,3})?\Z", re.IGNORECASE
)

# Bounded repetitions, and no two that can trade characters: a line of megabytes takes time by its length.
_NAMES = r"(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)"
_GAP = r"[ \t]{0,64}(?:\r?\n\s{0,8})?"
_VALUES = (
    r"""(?P<slashes>\\{1,7})"(?!\[redacted)[^\n]*?(?:(?<!\\)(?P=slashes)"|(?=\n)|\Z)""",  # JSON in a string of JSON
    r'"""(?!\[redacted)[\s\S]*?(?:"""|\Z)',
    r'"(?!\[redacted)(?:\\.|[^"\\\n])*"?',
    r"'(?!\[redacted)[^'\n]*'?",
    r"[|>][+-]?[ \t]*\n(?P<indent>[ \t]+)(?!\[redacted)[^\n]*(?:\n(?P=indent)[^\n]*)*",  # a block of YAML
    r"""(?!\[redacted|\\{0,7}["']|[|>][+-]?[ \t]*\n)[^\s;&"'<>]+""",
)
_VALUE = f"(?:{'|'.join(_VALUES)})"
_KEY_BLOCK = r"-----(?:BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
_PROVIDERS = (
    r"sk-[A-Za-z0-9_-]{16,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"AIza[A-Za-z0-9_-]{30,}",
    r"ya29\.[A-Za-z0-9_-]{16,}",
    r"xai-[A-Za-z0-9]{20,}",
    r"gsk_[A-Za-z0-9]{20,}",
    r"hf_[A-Za-z0-9]{20,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"npm_[A-Za-z0-9]{30,}",
    r"glpat-[A-Za-z0-9_-]{16,}",
    r"pypi-[A-Za-z0-9_-]{30,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
)
_SCHEME = r"(?i)\bauthorization[\"'\\]{0,3}\s{0,8}[:=]\s{0,8}[\"'\\]{0,3}(?:basic|digest|token)\s+"
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("private key", rf"{_KEY_BLOCK}[\s\S]*?(?:{_KEY_BLOCK}|\Z)"),
    ("JWT", r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*"),
    ("provider key", rf"\b(?:{'|'.join(_PROVIDERS)})"),
    ("AWS key", r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}\b"),
    ("GitHub token", r"\b(?:gh[opusr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("authorization", r"(?i)\bbearer\s+(?!\[redacted)[A-Za-z0-9._~+/=-]{8,}"),
    ("authorization", rf"{_SCHEME}(?!\[redacted)[^\s\"'\\]+"),
    ("password in a URL", r"(?<=://)[^\s/:@\[]*:(?!\[redacted)[^\s/]+(?=@)"),
    ("password", rf"(?i){_NAMES}(?!s\b)[A-Za-z0-9_-]{{0,32}}\\{{0,7}}[\"']?\s{{0,8}}(?:=>|[:=]){_GAP}{_VALUE}"),
    ("password", rf"(?i)--{_NAMES}[ \t]+{_VALUE}"),
    ("password", rf"(?i)<[\w.:-]{{0,32}}{_NAMES}(?!s>)[\w.:-]{{0,32}}>\s{{0,8}}(?!\[redacted)[^\s<][^<]*"),
)
_HEAD = re.compile(r"\A--\S+[ \t]+|\A<[^>]*>\s*|\A[\s\S]*?(?:=>|[:=])\s*")


class Redactor:
    """Returns texts without their secrets, and counts what it took out."""

    def __init__(self, environ: Mapping[str, str], removed: Removed) -> None:
        """Look for the values of variables in `environ` that are named like secrets, and for patterns."""
        self._removed = removed
        removed.looked = True
        known = sorted(set(_known(environ)), key=len, reverse=True)
        self._patterns = [(kind, re.compile(pattern)) for kind, pattern in _PATTERNS]
        if known:
            self._patterns.insert(0, ("known value", re.compile("|".join(known))))

    def __call__(self, text: str) -> str:
        """Return `text` with `[redacted: KIND]` where a secret stood."""
        cleaned = text
        for kind, pattern in self._patterns:
            cleaned = pattern.sub(partial(self._mark, kind), cleaned)
        if cleaned is not text and any(pattern.search(cleaned) for _, pattern in self._patterns):
            self._removed.count("whole text")
            return WITHHELD
        return cleaned

    def _mark(self, kind: str, found: re.Match[str]) -> str:
        self._removed.count(kind)
        head = _HEAD.match(found[0]) if kind == "password" else None
        return f"{head[0] if head else ''}[redacted: {kind}]"


def _known(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a pattern for every known value, and for the ways in which it may be written."""
    for name, value in environ.items():
        plain = value.strip()
        if not _SECRET_NAME.search(name) or len(plain) < SHORTEST:
            continue
        for written in {plain, json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1], quote(plain, "")}:
            pattern = r"\s*".join(re.escape(line.strip()) for line in written.split("\n"))
            yield rf"(?<!\w){pattern}(?!\w)" if len(written) < _WHOLE_WORD_BELOW else pattern
