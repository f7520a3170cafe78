"""Knowing a person: made a customer by their first word, kept as Telegram describes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from velvetrope.domain.validation import find_deep_link_payload, find_language
from velvetrope.usecases import reaching
from velvetrope.usecases.checkout import BACK
from velvetrope.usecases.conversation.requests import Request, Wish

if TYPE_CHECKING:
    from velvetrope.gateways.telegram.updates import User
    from velvetrope.pipeline.work import CustomerKey, Work
    from velvetrope.store.models import Customer

#: Columns of the customer; Telegram's own bounds are lower.
_LONGEST_NAME: Final = 255
_LONGEST_USERNAME: Final = 64


def greet(work: Work, key: CustomerKey, request: Request) -> Customer:
    """Give the customer who speaks, brought up to date; whoever writes can be written to."""
    customer = work.customer(key)
    if customer is None:
        return work.new_customer(
            key, **describe(request.user), source=_source(request), started_at=work.now
        )
    changed = False
    for field, value in describe(request.user).items():
        if getattr(customer, field) != value:
            setattr(customer, field, value)
            changed = True
    if customer.blocked_at is not None and _is_after(request, customer.blocked_at):
        reaching.mark_reachable(work, customer)
        customer.started_at = work.now
        changed = True
    if customer.started_at is None:  # known from the door only
        customer.started_at = work.now
        customer.source = customer.source or _source(request)
        changed = True
    if changed:
        work.save(customer)
    return customer


def describe(user: User) -> dict[str, str]:
    """Give the columns of a customer that Telegram tells."""
    return {
        "first_name": user.first_name[:_LONGEST_NAME],
        "username": (user.username or "")[:_LONGEST_USERNAME],
        "telegram_language": find_language(user.language_code) or "",
    }


def _source(request: Request) -> str:
    """Give the deep link's payload by which somebody came, unless it is the product's own."""
    payload = find_deep_link_payload(request.argument) if request.wish is Wish.START else None
    return "" if payload is None or payload == BACK else payload


def _is_after(request: Request, blocked_at: datetime) -> bool:
    """Tell a word said after the blocking from one that was only delivered after it."""
    if request.sent_at is None:
        return True
    return datetime.fromtimestamp(request.sent_at, UTC) >= blocked_at.replace(microsecond=0)
