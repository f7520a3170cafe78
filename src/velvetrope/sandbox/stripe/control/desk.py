"""What every control call shares: bodies read strictly, errors answered, accounts named."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from velvetrope.sandbox.stripe.errors import ApiError
from velvetrope.sandbox.stripe.hidden import CardConduct
from velvetrope.sandbox.stripe.world import masked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj
    from velvetrope.sandbox.stripe.simulator import Simulator

    Handler = Callable[[Simulator, Request], Awaitable[object]]

T = TypeVar("T")


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A control call's JSON; `account` is an account's id or key, by default the first."""

    account: str | None = None


class Unknown(LookupError):  # noqa: N818  reads as what is said
    """There is no such thing in the sandbox."""


async def read(request: Request, kind: type[T]) -> T:
    """Decode a request's JSON; an empty body counts as `{}`."""
    return msgspec.json.decode(await request.body() or b"{}", type=kind)


def account_named(simulator: Simulator, name: str | None) -> Account:
    """Give the account of that id or key (opened if it is new), the first one without a name."""
    if name is None:
        return simulator.world.default_account()
    for account in simulator.world.accounts.values():
        if name in {account.id, account.key}:
            return account
    if name.startswith("acct_") or simulator.world.registered_only:
        raise Unknown(f"There is no account {masked(name)}.")
    return simulator.world.account_of(name)


def owned(simulator: Simulator, kind: str, ident: str) -> tuple[Account, Obj]:
    """Give an object of any account, with the account."""
    account = simulator.world.owner_of(ident)
    obj = account.find(kind, ident) if account else None
    if account is None or obj is None:
        raise Unknown(f"There is no {kind} {ident}.")
    return account, obj


def conduct_named(card: str) -> CardConduct:
    """Give the card's conduct of that name; ValueError lists the names."""
    try:
        return CardConduct(card)
    except ValueError:
        names = ", ".join(conduct.value for conduct in CardConduct)
        raise ValueError(f"Unknown card {card!r}; there are {names}.") from None


def reply(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def route(simulator: Simulator, method: str, path: str, handler: Handler) -> Route:
    """Make a route that answers errors as `{"error": …}`."""

    async def answer(request: Request) -> Response:
        simulator.catch_up()
        simulator.world.public_url = str(request.base_url).rstrip("/")
        try:
            return reply(await handler(simulator, request))
        except Unknown as error:
            return reply({"error": str(error)}, 404)
        except ApiError as error:
            return reply({"error": str(error), "stripe": error.error}, error.status)
        except ValueError as error:
            return reply({"error": str(error)}, 400)

    return Route(f"/control/{path}", answer, methods=[method])
