"""Control calls about money: paying a session, refunds, disputes, subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.stripe.billing import (
    checkout,
    disputes,
    invoices,
    refunds,
    standing,
    subscriptions,
)
from velvetrope.sandbox.stripe.errors import ApiError
from velvetrope.sandbox.stripe.pages.discounts import use_code
from velvetrope.sandbox.stripe.resources.subscriptions import move, set_end

from .desk import conduct_named, owned, read

if TYPE_CHECKING:
    from starlette.requests import Request

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj
    from velvetrope.sandbox.stripe.simulator import Simulator

_REFUND_STATUSES = frozenset({"succeeded", "pending", "failed", "canceled"})


class Payment(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person enters on the Checkout page."""

    card: str = "good"
    email: str = "person@example.com"
    name: str = "Test Person"
    promotion_code: str | None = None


class Settlement(msgspec.Struct, forbid_unknown_fields=True):
    succeeded: bool = True


class NewRefund(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`outcome`: succeeded, pending or failed (first succeeded, then failed)."""

    amount: int | None = None
    reason: str | None = None
    outcome: str | None = None


class NewDispute(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    reason: str = "fraudulent"
    status: str = "needs_response"


class NewStatus(msgspec.Struct, forbid_unknown_fields=True):
    status: str


class SubscriptionChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Any of the things that happen to a subscription, done in this order."""

    #: `now`, `at_period_end` (the flag), `cancel_at` (flexible billing's way) or `undo`.
    cancel: str | None = None
    #: `keep_as_draft`, `mark_uncollectible`, `void`, or `off`.
    pause_collection: str | None = None
    resumes_at: int | None = None
    #: Another price, as the portal changes it.
    price: str | None = None
    pause: bool = False
    resume: bool = False
    #: Force a status, known to Stripe or not.
    status: str | None = None


async def list_checkouts(simulator: Simulator, _request: Request) -> Obj:
    rows = [
        session
        for account in simulator.world.accounts.values()
        for session in account.all("checkout.session")
        if session["status"] == "open"
    ]
    return {"checkouts": rows}


async def pay_checkout(simulator: Simulator, request: Request) -> Obj:
    """Do what the page's form does."""
    account, session = owned(simulator, "checkout.session", request.path_params["id"])
    payment = await read(request, Payment)
    if session["status"] != "open":
        raise ApiError(f"The session is {session['status']}.")
    if payment.promotion_code is not None:
        use_code(account, session, payment.promotion_code)
    conduct = conduct_named(payment.card)
    return checkout.complete(account, session, conduct, email=payment.email, name=payment.name)


async def expire_checkout(simulator: Simulator, request: Request) -> Obj:
    account, session = owned(simulator, "checkout.session", request.path_params["id"])
    if session["status"] == "open":
        checkout.expire(account, session)
    return session


async def settle_payment(simulator: Simulator, request: Request) -> Obj:
    """Let a delayed payment come in or bounce now."""
    account, intent = owned(simulator, "payment_intent", request.path_params["id"])
    settlement = await read(request, Settlement)
    if intent["status"] != "processing":
        raise ApiError(f"The payment is {intent['status']}, not processing.")
    checkout.settle(account, intent, succeeded=settlement.succeeded)
    return intent


def _charge(account: Account, intent: Obj) -> Obj:
    charge = account.find("charge", intent["latest_charge"])
    if charge is None:
        raise ApiError("The payment was never charged.")
    return charge


async def refund_payment(simulator: Simulator, request: Request) -> Obj:
    account, intent = owned(simulator, "payment_intent", request.path_params["id"])
    new = await read(request, NewRefund)
    if new.outcome not in {None, "succeeded", "pending", "failed"}:
        raise ValueError("The outcome of a refund is succeeded, pending or failed.")
    charge = _charge(account, intent)
    return refunds.create(
        account, charge, amount=new.amount, reason=new.reason, outcome=new.outcome
    )


async def change_refund(simulator: Simulator, request: Request) -> Obj:
    account, refund = owned(simulator, "refund", request.path_params["id"])
    status = (await read(request, NewStatus)).status
    if status not in _REFUND_STATUSES:
        raise ValueError(f"A refund is one of {', '.join(sorted(_REFUND_STATUSES))}.")
    refunds.finish(account, refund, status)
    return refund


async def dispute_payment(simulator: Simulator, request: Request) -> Obj:
    account, intent = owned(simulator, "payment_intent", request.path_params["id"])
    new = await read(request, NewDispute)
    _check_dispute(new.status)
    return disputes.create(account, _charge(account, intent), reason=new.reason, status=new.status)


async def change_dispute(simulator: Simulator, request: Request) -> Obj:
    account, dispute = owned(simulator, "dispute", request.path_params["id"])
    status = (await read(request, NewStatus)).status
    _check_dispute(status)
    disputes.move(account, dispute, status)
    return dispute


def _check_dispute(status: str) -> None:
    if status not in disputes.STATUSES:
        raise ValueError(f"A dispute is one of {', '.join(sorted(disputes.STATUSES))}.")


async def change_subscription(simulator: Simulator, request: Request) -> Obj:
    account, subscription = owned(simulator, "subscription", request.path_params["id"])
    change = await read(request, SubscriptionChange)
    if change.cancel is not None:
        cancel(account, subscription, change.cancel)
    if change.pause_collection is not None:
        pause = {"behavior": change.pause_collection, "resumes_at": change.resumes_at}
        with account.changing(subscription, "customer.subscription.updated"):
            off = change.pause_collection == "off"
            subscription["pause_collection"] = None if off else pause
    if change.price is not None:
        move(account, subscription, change.price)
    if change.pause:
        subscriptions.pause(account, subscription, "pause_requested")
    if change.resume:
        subscriptions.resume(account, subscription)
    if change.status is not None:
        with account.changing(subscription, "customer.subscription.updated"):
            subscription["status"] = change.status
    subscriptions.plan_next(account, subscription)
    return subscription


def cancel(account: Account, subscription: Obj, how: str) -> None:
    """Cancel at once or at the period's end, in either of the two ways, or take that back."""
    if how == "now":
        standing.end(account, subscription, "cancellation_requested")
    elif how == "at_period_end":
        set_end(account, subscription, {"cancel_at_period_end": True})
    elif how == "cancel_at":
        set_end(account, subscription, {"cancel_at": "max_period_end"})
    elif how == "undo":
        set_end(account, subscription, {"cancel_at_period_end": False})
    else:
        raise ValueError("A subscription is cancelled now, at_period_end or cancel_at; or undo.")


async def pay_invoice(simulator: Simulator, request: Request) -> Obj:
    """Try to collect an invoice now."""
    account, invoice = owned(simulator, "invoice", request.path_params["id"])
    if invoice["status"] == "draft":
        invoices.finalize(account, invoice)
    if invoice["status"] == "open":
        invoices.collect(account, invoice)
    return invoice
