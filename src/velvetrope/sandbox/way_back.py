"""Leads from the pages of the simulated Stripe back to the phone.

The product sends people from Checkout to a `t.me` address. In the sandbox that must open the phone
on this machine, never the real service; and the phone may show the pages in a frame of its own.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ADDRESS = re.compile(r"https?://(?:t|telegram)\.me/.*", re.IGNORECASE)
_HREF = re.compile(rb'href="(https?://(?:t|telegram)\.me/[^"]*)"', re.IGNORECASE)
_APART = ("/v1/", "/control/")


class WayBack:
    """Wraps the simulated Stripe; `phone` is the address of the simulated Telegram."""

    def __init__(self, app: ASGIApp, phone: str) -> None:
        self._app = app
        self._phone = phone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_APART):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if not message.get("more_body", False):
                content = _HREF.sub(self._rewrite_link, bytes(body))
                start["headers"] = [
                    (name, self._rewrite_header(name, value, len(content)))
                    for name, value in start["headers"]
                ]
                await send(start)
                await send({"type": "http.response.body", "body": content})

        await self._app(scope, receive, collect)

    def lead(self, address: str) -> str:
        """Give the phone's page that follows a `t.me` address; leave other addresses."""
        if not _ADDRESS.fullmatch(address):
            return address
        return f"{self._phone}/phone/follow#url={quote(address, safe='')}"

    def _rewrite_link(self, found: re.Match[bytes]) -> bytes:
        return f'href="{self.lead(unescape(found[1].decode()))}"'.encode()

    def _rewrite_header(self, name: bytes, value: bytes, length: int) -> bytes:
        if name == b"content-length":
            return b"%d" % length
        if name == b"location":
            return self.lead(value.decode("latin-1")).encode("latin-1")
        if name == b"content-security-policy":
            framed = f"frame-ancestors {self._phone}".encode()
            return value.replace(b"frame-ancestors 'none'", framed)
        return value
