"""The HTTP client that all of the SDK's clients share.

The SDK's own one for aiohttp reads the answer outside of its error handling and without a limit,
and takes its time-outs from nowhere once a session is given to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import aiohttp
import msgspec
import stripe
from multidict import CIMultiDict

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A page of a hundred subscriptions is well below this.
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024


class StripeTimeouts(msgspec.Struct, frozen=True):
    """Seconds that each phase of a request may take; the SDK's default is 80 for all of it."""

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


class NoAnswer(stripe.APIConnectionError):
    """Stripe was not reached or did not answer properly; `timed_out` tells slow from broken."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        self.reason = reason
        self.timed_out = timed_out
        super().__init__(reason)  # type: ignore[no-untyped-call]  # untyped in the SDK


class StripeTransport(stripe.HTTPClient):
    """Sends the SDK's requests over a session that the application opens and closes."""

    name = "aiohttp"

    def __init__(
        self, session: aiohttp.ClientSession, *, timeout: StripeTimeouts | None = None
    ) -> None:
        super().__init__()
        # The SDK keeps this switch in its module; it would report how long our requests took.
        stripe.enable_telemetry = False
        phases = timeout or StripeTimeouts()
        self._session = session
        self._timeout = aiohttp.ClientTimeout(
            total=phases.total,
            connect=phases.connect,
            sock_connect=phases.connect,
            sock_read=phases.read,
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request and read its answer; raises only `NoAnswer`."""
        if self._session.closed:  # the product is stopping
            raise NoAnswer("session_closed")
        try:
            return await self._exchange(method, url, headers, post_data)
        except TimeoutError as error:
            failure = NoAnswer(type(error).__name__, timed_out=True)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = NoAnswer(type(error).__name__)
        raise failure  # outside of the except clauses: what is chained would hold the headers

    async def close_async(self) -> None:
        """Leave the session open: it belongs to the application."""

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> tuple[bytes, int, Mapping[str, str]]:
        async with self._session.request(
            method,
            url,
            headers=headers,
            data=post_data,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            answer = bytearray()
            async for piece in response.content.iter_any():
                answer += piece
                if len(answer) > MAX_ANSWER_BYTES:
                    response.close()
                    raise NoAnswer("answer_too_large")
            # The SDK turns notices into Python warnings; nobody would see them here.
            received = CIMultiDict(response.headers)
            received.popall("Stripe-Notice", None)
            return bytes(answer), response.status, received
