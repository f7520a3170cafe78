"""Serves the phone's page and its parts, which need nothing from the network."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

_HERE = Path(__file__).parent
_PAGES = {"/": "phone.html", "/phone": "phone.html", "/phone/follow": "follow.html"}


def routes(stripe_url: str | None) -> list[Route]:
    """List the page's addresses; Checkout's pages from `stripe_url` may be shown inside it."""
    headers = {
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data:",
                "connect-src 'self'",
                f"frame-src 'self' {stripe_url or ''}".rstrip(),
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'self'",
            )
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    parts = {path: _HERE / name for path, name in _PAGES.items()} | {
        f"/phone/{file.relative_to(_HERE).as_posix()}": file
        for pattern in ("*.css", "*.svg", "js/*.js")
        for file in sorted(_HERE.glob(pattern))
    }

    async def show(request: Request) -> Response:
        file = parts[request.url.path]
        kind = mimetypes.types_map.get(file.suffix, "application/octet-stream")
        return Response(file.read_bytes(), media_type=kind, headers=headers)

    return [Route(path, show) for path in parts]
