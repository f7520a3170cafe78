"""Control calls about time, events, webhooks, faults and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

import msgspec

from velvetrope.sandbox.stripe.resources.events import new_endpoint
from velvetrope.sandbox.stripe.shapes import Obj, new_id

from .desk import Body, Unknown, account_named, owned, read

if TYPE_CHECKING:
    from starlette.requests import Request

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.simulator import Simulator

_DAY = 86400
_KINDS = (
    "product",
    "price",
    "customer",
    "checkout.session",
    "subscription",
    "invoice",
    "invoice_payment",
    "payment_intent",
    "charge",
    "refund",
    "dispute",
)


class Leap(msgspec.Struct, forbid_unknown_fields=True):
    """How far to move the clock; `settle` waits for the webhooks of each moment on the way."""

    seconds: float
    settle: bool = True


class NewEndpoint(Body, kw_only=True):
    """A webhook endpoint; a `url` that is a path leads to the product."""

    url: str
    secret: str | None = None
    enabled_events: list[str] = msgspec.field(default_factory=lambda: ["*"])
    api_version: str | None = None


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    """Whether an endpoint gets anything."""

    enabled: bool


class Roll(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    secret: str | None = None
    #: How long the old secret signs beside the new one, in seconds.
    overlap: float = _DAY


class NewEvent(Body, kw_only=True):
    """An event of any kind about any object, known to the sandbox or not."""

    type: str
    about: dict[str, object] | str = msgspec.field(name="object")


async def show_clock(simulator: Simulator, _request: Request) -> Obj:
    clock = simulator.clock
    return {"now": clock.time(), "offset": clock.offset, "next": simulator.world.next_look()}


async def move_clock(simulator: Simulator, request: Request) -> Obj:
    """Move forward through everything that falls due, in order of time."""
    leap = await read(request, Leap)
    if leap.seconds < 0:
        raise ValueError("The sandbox's time only moves forward.")
    await simulator.advance(leap.seconds, settle=leap.settle)
    return await show_clock(simulator, request)


async def add_endpoint(simulator: Simulator, request: Request) -> Obj:
    new = await read(request, NewEndpoint)
    account = account_named(simulator, new.account)
    endpoint = new_endpoint(
        account,
        urljoin(simulator.product or "", new.url),
        enabled_events=new.enabled_events,
        api_version=new.api_version,
        secret=new.secret,
    )
    return {**endpoint, "secret": account.secrets[endpoint["id"]][0].text}


async def switch_endpoint(simulator: Simulator, request: Request) -> Obj:
    """Disable an endpoint, or enable it again."""
    _, endpoint = owned(simulator, "webhook_endpoint", request.path_params["id"])
    enabled = (await read(request, Switch)).enabled
    endpoint["status"] = "enabled" if enabled else "disabled"
    return endpoint


async def roll_secret(simulator: Simulator, request: Request) -> Obj:
    """Give an endpoint a new secret; both sign for a while."""
    account, endpoint = owned(simulator, "webhook_endpoint", request.path_params["id"])
    roll = await read(request, Roll)
    until = simulator.clock.time() + roll.overlap
    account.set_secret(endpoint["id"], roll.secret or new_id("whsec", 32), until)
    return {**endpoint, "secret": account.secrets[endpoint["id"]][0].text}


async def add_event(simulator: Simulator, request: Request) -> Obj:
    new = await read(request, NewEvent)
    account = account_named(simulator, new.account)
    if isinstance(new.about, str):
        if new.about not in account.index:
            raise Unknown(f"There is no {new.about}.")
        return account.emit(new.type, account.index[new.about])
    return account.emit(new.type, new.about)


async def resend_event(simulator: Simulator, request: Request) -> Obj:
    """Send an event to its endpoints once more."""
    account, event = owned(simulator, "event", request.path_params["id"])
    simulator.deliveries.dispatch(account, event)
    return event


async def list_events(simulator: Simulator, request: Request) -> Obj:
    after = int(request.query_params.get("after", "0"))
    limit = int(request.query_params.get("limit", "1000"))
    rows = list(simulator.events.after(after, limit))
    shown = [
        {"number": number, "account": account, "at": at, **row}
        for number, (account, at, row) in rows
    ]
    return {"events": shown, "last": simulator.events.last}


async def list_deliveries(simulator: Simulator, request: Request) -> Obj:
    journal = simulator.deliveries.attempts
    after = int(request.query_params.get("after", "0"))
    rows = journal.after(after, int(request.query_params.get("limit", "1000")))
    return {
        "deliveries": [{"number": n, **msgspec.structs.asdict(row)} for n, row in rows],
        "last": journal.last,
        "waiting": simulator.deliveries.waiting(),
    }


async def list_calls(simulator: Simulator, request: Request) -> Obj:
    after = int(request.query_params.get("after", "0"))
    rows = simulator.calls.after(after, int(request.query_params.get("limit", "1000")))
    return {
        "calls": [{"number": n, **msgspec.structs.asdict(row)} for n, row in rows],
        "last": simulator.calls.last,
    }


async def show_faults(simulator: Simulator, _request: Request) -> object:
    return simulator.faults.knobs


async def set_faults(simulator: Simulator, request: Request) -> object:
    return simulator.faults.configure(await request.body())


async def show_state(simulator: Simulator, request: Request) -> Obj:
    """Give Stripe's whole truth, for those who check the product's against it."""
    simulator.catch_up()
    name = request.query_params.get("account")
    chosen = (
        list(simulator.world.accounts.values())
        if name is None
        else [account_named(simulator, name)]
    )
    return {
        "sandbox": "Velvet Rope sandbox: not Stripe",
        "now": simulator.clock.time(),
        "accounts": {account.id: _truth(account) for account in chosen},
        **(_truth(chosen[0]) if len(chosen) == 1 else {}),
    }


def _truth(account: Account) -> Obj:
    names = {"checkout.session": "sessions", "payment_intent": "payments"}
    return {names.get(kind, f"{kind}s"): account.all(kind) for kind in _KINDS}
