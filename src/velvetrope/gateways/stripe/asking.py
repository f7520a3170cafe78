"""One question to Stripe: its failures as the three kinds, its answer as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import stripe

from velvetrope.gateways.stripe import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from velvetrope.domain.errors import VelvetError

T = TypeVar("T")

PAGE_SIZE: Final = 100


class _Page(msgspec.Struct, frozen=True):
    data: list[dict[str, object]]
    has_more: bool


class _Named(msgspec.Struct, frozen=True):
    id: str


async def ask(call: Awaitable[stripe.StripeObject], kind: type[T]) -> T:
    """Await a call of the SDK and read its answer as `kind`; raises only the three kinds."""
    failure: VelvetError
    try:
        answer = await call
    except stripe.StripeError as error:
        failure = errors.classify(error)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        # The SDK takes JSON for granted to have Stripe's shapes, and stumbles where it has not.
        failure = errors.unexpected_answer()
    else:
        return read(answer, kind)
    raise failure  # outside of the except clauses: the SDK's exceptions hold bodies and headers


def read(answer: object, kind: type[T]) -> T:
    """Read an object of the SDK, or plain data out of one, as `kind`."""
    try:
        plain = answer.to_dict(for_json=True) if isinstance(answer, stripe.StripeObject) else answer
        return msgspec.convert(plain, kind)
    except (ValueError, RecursionError):
        failure = errors.unexpected_answer()
    raise failure


async def each(
    list_page: Callable[[Any], Awaitable[stripe.StripeObject]], params: dict[str, Any]
) -> AsyncIterator[dict[str, object]]:
    """Go through all pages of a list; gives the members as plain data, newest first."""
    params = {**params, "limit": PAGE_SIZE}
    while True:
        page = await ask(list_page(params), _Page)
        for member in page.data:
            yield member
        if not page.has_more or not page.data:
            return
        last = read(page.data[-1], _Named).id
        if params.get("starting_after") == last:  # the same page for ever
            raise errors.unexpected_answer()
        params = {**params, "starting_after": last}
