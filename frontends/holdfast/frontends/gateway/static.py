"""The files of the web page over HTTP, for anybody who may speak to this port: they hold no data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from holdfast.frontends.web.page import Page

_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE)


def serving(page: Page, otherwise: ASGIApp) -> ASGIApp:
    """Return what answers where no route does: with a file of the page, or as `otherwise` does."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        asset = page.find(scope["path"]) if scope["type"] == "http" else None
        if asset is None:
            await otherwise(scope, receive, send)
            return
        request = Request(scope)
        if request.method not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        headers = {**asset.headers, "ETag": asset.etag}
        body, status = asset.body, 200
        if asset.packed is not None and _GZIP.search(request.headers.get("Accept-Encoding", "")):
            body = asset.packed
            headers["Content-Encoding"] = "gzip"
        if asset.etag in request.headers.get("If-None-Match", ""):
            body, status = b"", 304
        await Response(body, status, headers, asset.media_type)(scope, receive, send)

    return serve
