"""One HTTP request to the Bot API and what became of it; nobody retries here.

The bot's token is part of the address, so no exception of the HTTP library leaves this module:
their texts, attributes and chains may hold the address.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import aiohttp
import msgspec

from velvetrope.domain.errors import Permanent
from velvetrope.gateways.telegram import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.domain.errors import VelvetError

#: The largest answer that is read; the product's own methods answer a few KiB.
MAX_ANSWER_BYTES: Final = 1024 * 1024

_HEADERS: Final = {"Content-Type": "application/json"}


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds that each phase of a call may take.

    `connect` covers waiting for a free connection as well as opening one, `read` the silence
    between two pieces of the answer, `total` everything.
    """

    connect: float = 5.0
    read: float = 10.0
    total: float = 15.0


class _Answer(msgspec.Struct):
    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    error_code: int | None = None
    description: str = ""
    parameters: errors.Parameters = errors.Parameters()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Answer).decode


class TelegramClient:
    """Calls methods of the Bot API over a session that the application opens and closes."""

    def __init__(
        self, session: aiohttp.ClientSession, base_url: str, *, timeout: Timeouts | None = None
    ) -> None:
        self._session = session
        self._base_url = base_url.rstrip("/")
        phases = timeout or Timeouts()
        self._timeout = aiohttp.ClientTimeout(
            total=phases.total,
            connect=phases.connect,
            sock_connect=phases.connect,
            sock_read=phases.read,
        )

    async def call(self, token: str, method: str, params: Mapping[str, object]) -> msgspec.Raw:
        """Call a method and return the JSON text of its result.

        Parameters whose value is None are left out. Raises only the three kinds, with the codes
        of `errors.py`.
        """
        failure: VelvetError
        try:
            body = _encode({name: value for name, value in params.items() if value is not None})
        except (TypeError, ValueError):  # a lone surrogate in somebody's name, for one
            failure = Permanent("bad_request", method=method, description="not encodable")
            raise failure from None
        if self._session.closed:  # the product is stopping
            raise errors.unavailable(method, "session_closed")
        address = f"{self._base_url}/bot{token}/{method}"
        try:
            status, answer, patience = await self._exchange(address, body)
        except aiohttp.ConnectionTimeoutError:
            failure = errors.timed_out(method, "connect", maybe_delivered=False)
        except TimeoutError:
            failure = errors.timed_out(method, "answer", maybe_delivered=True)
        except aiohttp.ClientConnectorError as error:
            failure = errors.unavailable(method, type(error).__name__)
        except (aiohttp.ClientError, OSError, ValueError, _TooLargeError) as error:
            # What broke once connected may have broken after Telegram had read the request.
            failure = errors.unavailable(method, type(error).__name__, maybe_delivered=True)
        else:
            return _result(status, answer, patience, method)
        raise failure  # outside of the except clauses, so that nothing is chained to it

    async def _exchange(self, address: str, body: bytes) -> tuple[int, bytes, str | None]:
        """Send one request; give the status, at most `MAX_ANSWER_BYTES`, and `Retry-After`."""
        async with self._session.post(
            address, data=body, headers=_HEADERS, timeout=self._timeout, allow_redirects=False
        ) as response:
            answer = bytearray()
            async for piece in response.content.iter_any():
                answer += piece
                if len(answer) > MAX_ANSWER_BYTES:
                    response.close()
                    raise _TooLargeError
            return response.status, bytes(answer), response.headers.get("Retry-After")


class _TooLargeError(Exception):
    """The answer is larger than any of Telegram's."""


def _result(status: int, answer: bytes, patience: str | None, method: str) -> msgspec.Raw:
    """Return the result of a good answer, raise what a bad one means."""
    try:
        decoded = _decode(answer)
    except (ValueError, RecursionError):  # a proxy's page, or an answer cut short
        decoded = None
    if decoded is None:
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = float(patience) if patience and patience.isdecimal() else None
            raise errors.classify(status, "", errors.Parameters(retry_after=seconds), method)
        reason = f"http_{status}" if status >= HTTPStatus.BAD_REQUEST else "not_json"
        raise errors.unavailable(method, reason, maybe_delivered=True)
    if decoded.ok and status < HTTPStatus.MULTIPLE_CHOICES:
        return decoded.result
    code = status if decoded.error_code is None else decoded.error_code
    raise errors.classify(code, decoded.description, decoded.parameters, method)
