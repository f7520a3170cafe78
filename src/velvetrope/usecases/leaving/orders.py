"""A removal as it is asked for: a durable job in the customer's lane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from velvetrope.store.ids import new_id
from velvetrope.usecases.lanes import whom_of

if TYPE_CHECKING:
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import ChatView, IntegrationView
    from velvetrope.store.models import Customer

#: The kind of the job.
REMOVE: Final = "remove"
#: What keeps those from leaving who wait for an operator; the alert's code as well.
HELD: Final = "removals_held"


class RemoveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Take a person out of a chat (by its row's id), unless a fresh look says otherwise."""

    integration_id: int
    telegram_user_id: int
    chat_id: int
    #: An operator has seen the list and confirmed this one.
    confirmed: bool = False


def defer_removal(work: Work, view: IntegrationView, customer: Customer, chat: ChatView) -> None:
    """Have a person taken out who is to leave, as far as is known now."""
    person = customer.telegram_user_id
    work.defer(
        REMOVE,
        RemoveOrder(integration_id=view.id, telegram_user_id=person, chat_id=chat.id),
        lane=whom_of(customer, view.stripe_account_id).lane,
        account=view.id,
        external_id=f"{REMOVE}:{new_id()}",
    )


def subject_of(chat_id: int) -> str:
    """Name a chat (by its row's id) in alerts."""
    return f"chat:{chat_id}"
