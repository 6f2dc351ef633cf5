"""The files of the page as a server hands them out. They need no credential, because none of them holds data."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct, json

STATIC: Final = Path(__file__).parent / "static"

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",  # pictures that an agent sent inside a message; never one from an address
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "holdfast",  # for the address of the service worker, which counts as a script
}
CONTENT_SECURITY_POLICY: Final = "; ".join(f"{name} {value}" for name, value in _POLICY.items())

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
    "Cache-Control": "no-cache",  # ask each time; an unchanged file is answered without its body
}

# Addresses inside the page. All of them are the same document, which reads the address itself.
_ADDRESS = re.compile(r"/(?:inbox|search|settings|start|(?:sessions|new|replay)/[^/]+)?")

# Browsers ask for these at the top: a service worker rules no more than the folder it lies in.
_AT_THE_TOP: Final = {"/sw.js": "sw.js", "/manifest.webmanifest": "manifest.webmanifest", "/favicon.ico": "icon.svg"}


class Asset(Struct, frozen=True):
    """One file as it goes over the wire.

    Attributes:
        packed: The body as gzip, for browsers that take it; None where that is not shorter.
        etag: Quoted, as the header has it; it changes with the content alone.
    """

    body: bytes
    packed: bytes | None
    media_type: str
    headers: dict[str, str]
    etag: str


class Page:
    """Every file of the page, read once. What is asked for is looked up by name: no path reaches the disk."""

    def __init__(self, folder: Path = STATIC) -> None:
        """Read all files below `folder`."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self._assets = {
            path.relative_to(folder).as_posix(): _asset(path.read_bytes(), _MEDIA_TYPES.get(path.suffix))
            for path in files
        }
        self._assets["files.json"] = _asset(json.encode([*self._assets]), "application/json")  # what works offline

    def find(self, path: str) -> Asset | None:
        """Return what the path of an address stands for; None for nothing.

        Args:
            path: Begins with `/`, without a query; percent signs decoded.
        """
        if _ADDRESS.fullmatch(path):
            return self._assets["index.html"]
        name = _AT_THE_TOP.get(path)
        if name is None and path.startswith("/static/"):
            name = path.removeprefix("/static/")
        return None if name is None else self._assets.get(name)

    def names(self) -> list[str]:
        """Return the names of all files, relative to `/static/`."""
        return list(self._assets)


def _asset(body: bytes, media_type: str | None) -> Asset:
    packed = gzip.compress(body, mtime=0)
    return Asset(
        body=body,
        packed=packed if len(packed) < len(body) else None,
        media_type=media_type or "text/plain; charset=utf-8",
        headers=_HEADERS,
        etag=f'"{sha256(body).hexdigest()[:32]}"',
    )
