"""Saying something to a person, through the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import Priority

if TYPE_CHECKING:
    from velvetrope.domain.messages import MessageKind
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.models import Customer
    from velvetrope.usecases.wording.outgoing import OutgoingMessage


def tell(
    work: Work,
    view: IntegrationView,
    customer: Customer,
    message: OutgoingMessage,
    *,
    occasion: str | None,
    priority: Priority = Priority.ANSWER,
    kind: MessageKind | None = None,
) -> None:
    """Queue a message for a person; the same occasion is told once.

    One of a `kind` that the operator has switched off is not told.
    """
    if kind is not None and not view.messages.is_on(kind):
        return
    work.send(
        integration_id=view.id,
        method="sendMessage",
        params=message.params(customer.telegram_user_id),
        chat_id=customer.telegram_user_id,
        customer=customer,
        priority=priority.value,
        occasion=occasion,
    )
