"""The files of the web page over HTTP, for anybody who may speak to this port: they hold no data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from holdfast.frontends.web.page import Page

_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE)


def routes(page: Page) -> list[BaseRoute]:
    """Return the routes of the page. They take every path, so they come last."""

    async def serve(request: Request) -> Response:
        asset = page.find(request.scope["path"])
        if asset is None:
            raise HTTPException(404)
        headers = {**asset.headers, "ETag": asset.etag}
        if asset.etag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        packed = asset.packed
        if packed is not None and _GZIP.search(request.headers.get("Accept-Encoding", "")):
            return Response(packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
        return Response(asset.body, headers=headers, media_type=asset.media_type)

    return [Route("/{path:path}", serve, methods=["GET"])]
