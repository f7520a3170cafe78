"""What a handler may do to the database: staged, merged on success, discarded on an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from django.db.models import Model

from velvetrope.domain.states import Priority, Source
from velvetrope.pipeline.events import CustomerKey, Event, Item
from velvetrope.pipeline.routes import Handler, Outcome
from velvetrope.pipeline.view import clone
from velvetrope.store.ids import new_id
from velvetrope.store.models import Access, AuditEntry, Chat, Checkout, Customer, Entitlement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from velvetrope.pipeline.view import BatchView
    from velvetrope.store.catalogue import IntegrationView

__all__ = ["CustomerKey", "Event", "Handler", "Item", "Outcome", "Work"]

M = TypeVar("M", bound=Model)

#: The method by which something is said to a person.
MESSAGE: Final = "sendMessage"

_encode = msgspec.json.Encoder().encode


class Work:
    """The reach of one event (or of one outbox item's outcome) within a transaction.

    Rows that it hands out are copies: nothing that is changed counts until `save`, and nothing
    that is saved counts until the handler returns. The rows of a customer include what earlier
    events of the same transaction changed.
    """

    def __init__(self, view: BatchView, now: datetime, event_id: int | None) -> None:
        self.now = now
        #: The event that causes it all; None for an outcome whose item no event caused.
        self.event_id = event_id
        #: Who or what brings the changes about, where the rows can't tell; for the record.
        self.remark: Mapping[str, str] = {}
        self._hushed = False
        self._view = view
        self._copies: dict[tuple[type[Model], int], Model] = {}
        self._saved: dict[tuple[type[Model], int], Model] = {}
        self._items: list[Item] = []
        self._jobs: list[tuple[Event, datetime | None]] = []
        self._audit: list[AuditEntry] = []

    def integration(self, integration_id: int) -> IntegrationView:
        """Give the configuration of an integration; LookupError if there is none."""
        return self._view.integration(integration_id)

    def customer(self, key: CustomerKey) -> Customer | None:
        """Find the customer of (integration id, Telegram user id)."""
        for row in self._saved.values():
            if isinstance(row, Customer) and (row.integration_id, row.telegram_user_id) == key:
                return row
        found = self._view.customer(key)
        return None if found is None else self._copy(found)

    def customer_by_id(self, customer_id: int) -> Customer | None:
        """Find a customer by the row's id, as outbox items name them."""
        saved = self._saved.get((Customer, customer_id))
        if isinstance(saved, Customer):
            return saved
        found = self._view.customer_by_id(customer_id)
        return None if found is None else self._copy(found)

    def new_customer(self, key: CustomerKey, **fields: object) -> Customer:
        """Make the customer's row and save it; `created_at` is now unless given."""
        integration_id, telegram_user_id = key
        row = Customer(
            integration_id=integration_id,
            telegram_user_id=telegram_user_id,
            **{"created_at": self.now, **fields},
        )
        self.save(row)
        return row

    def entitlements(self, customer: Customer) -> list[Entitlement]:
        """Give all rights of a customer, oldest first."""
        return self._rows_of(Entitlement, customer)

    def accesses(self, customer: Customer) -> list[Access]:
        """Give what is known of a customer in every chat."""
        return self._rows_of(Access, customer)

    def checkouts(self, customer: Customer) -> list[Checkout]:
        """Give the Checkout Sessions that were made for a customer, oldest first."""
        return self._rows_of(Checkout, customer)

    def chat(self, chat_id: int) -> Chat:
        """Give a chat's row by its id; LookupError if there is none."""
        saved = self._saved.get((Chat, chat_id))
        return saved if isinstance(saved, Chat) else self._copy(self._view.chat(chat_id))

    def save(self, row: Model) -> None:
        """Insert or update the row when the transaction is written; later changes count too."""
        self._saved[type(row), row.pk or id(row)] = row

    def send(
        self,
        *,
        integration_id: int,
        method: str,
        params: Mapping[str, object],
        chat_id: int,
        customer: Customer | None = None,
        priority: str = Priority.ANSWER.value,
        occasion: str | None = None,
    ) -> None:
        """Have a method of the Bot API called after the commit.

        `chat_id` is what pacing counts for. With a `customer`, a message to their private chat is
        skipped while they block the bot. The same `occasion` of an integration is sent once.
        """
        self._items.append(
            Item(
                id=new_id(),
                integration_id=integration_id,
                customer_id=None if customer is None else customer.id,
                chat_id=chat_id,
                method=method,
                params=_encode(params),
                priority=Priority(priority).value,
                occasion=occasion,
                cause=self.event_id,
                hushed=self._hushed and method == MESSAGE,
            )
        )

    def hush(self) -> None:
        """Have messages put on record from here on instead of sent: what they say is no news.

        Their occasions count as told. Doors are opened and closed as ever.
        """
        self._hushed = True

    def defer(
        self,
        kind: str,
        payload: msgspec.Struct | Mapping[str, object],
        *,
        lane: str,
        account: int,
        external_id: str,
        at: datetime | None = None,
    ) -> None:
        """Store a job that runs after the commit, or not before `at`; the same id counts once."""
        job = Event(
            id=new_id(),
            source=Source.JOB.value,
            account=account,
            external_id=external_id,
            kind=kind,
            lane=lane,
            payload=_encode(payload),
            received_at=self.now,
        )
        self._jobs.append((job, at))

    def audit(
        self,
        action: str,
        *,
        subject: str,
        subject_id: object,
        integration_id: int | None = None,
        before: object = None,
        after: object = None,
        actor: str = "product",
    ) -> None:
        """Record what was done to which row; `before` and `after` are plain JSON values."""
        self._audit.append(
            AuditEntry(
                at=self.now,
                actor=actor,
                action=action,
                integration_id=integration_id,
                subject=subject,
                subject_id=str(subject_id),
                before=before,
                after=after,
                cause=self.event_id,
            )
        )

    def staged_items(self) -> Sequence[Item]:
        """Give the calls that would be made."""
        return tuple(self._items)

    def settle(self) -> None:
        """Write out what earlier events of the transaction changed, for queries of one's own.

        What this event has staged itself is not written by it.
        """
        self._view.flush()

    def merge(self) -> None:
        """Let everything count that was staged; called by the pipeline when the handler returns."""
        if (witness := self._view.witness) is not None:
            for row in self._saved.values():
                witness(self, self._view.before(row), row)
        self._view.merge(self._saved.values(), self._items, self._jobs, self._audit)

    def _rows_of(self, model: type[M], customer: Customer) -> list[M]:
        known = self._view.rows_of(model, customer.id) if self._view.has(customer) else ()
        rows = [self._copy(row) for row in known]
        ids = {row.pk for row in known}
        rows += [
            row
            for row in self._saved.values()
            if isinstance(row, model)
            and row.pk not in ids
            and row.__dict__.get("customer_id") == customer.id
        ]
        return rows

    def _copy(self, row: M) -> M:
        """Give this event's own copy of a row, the same one each time."""
        key = (type(row), row.pk)
        own = self._copies.get(key)
        if isinstance(own, type(row)):
            return own
        own = clone(row)
        self._copies[key] = own
        return own
