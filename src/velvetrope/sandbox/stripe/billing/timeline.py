"""Does what is due, in the order in which it fell due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import checkout, invoices, payments, refunds, subscriptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.shapes import Obj
    from velvetrope.sandbox.stripe.world import World


def run(world: World, until: float) -> int:
    """Do everything that is due by `until`, stamped with its own moment; gives how much it was."""
    done = 0
    while (due := world.take_due(until)) is not None:
        moment, account, ident = due
        obj = account.index.get(ident)
        if obj is None:
            continue
        with world.at(moment):
            _LOOKS[obj["object"]](account, obj)
        done += 1
    return done


def _look_at_intent(account: Account, intent: Obj) -> None:
    if intent["status"] == "processing":
        checkout.settle(account, intent, succeeded=payments.settles_well(account, intent))


_LOOKS: dict[str, Callable[[Account, Obj], None]] = {
    "checkout.session": checkout.look,
    "subscription": subscriptions.look,
    "invoice": invoices.look,
    "payment_intent": _look_at_intent,
    "refund": refunds.look,
}
