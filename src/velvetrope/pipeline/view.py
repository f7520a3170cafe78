"""The rows that a transaction works on: loaded for all its events at once, written back at once."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model
from django.db.models.base import ModelState

from velvetrope.pipeline.flush import Changes
from velvetrope.store.models import Chat, Customer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from velvetrope.pipeline.dialect import Dialect
    from velvetrope.pipeline.events import CustomerKey, Event, Item
    from velvetrope.pipeline.inbox import Inbox
    from velvetrope.pipeline.outbox import Outbox
    from velvetrope.pipeline.routes import Witness
    from velvetrope.store.catalogue import Catalogue, IntegrationView
    from velvetrope.store.models import AuditEntry

M = TypeVar("M", bound=Model)


def clone(row: M) -> M:
    """Copy a row with its values; related objects that it has cached are left behind."""
    twin = row.__class__.__new__(row.__class__)
    values = {
        name: copy.deepcopy(value) if type(value) in (dict, list) else value
        for name, value in row.__dict__.items()
    }
    state = ModelState()
    state.adding = row._state.adding  # noqa: SLF001  Django documents `_state`
    state.db = row._state.db  # noqa: SLF001  the same
    values["_state"] = state
    twin.__dict__.update(values)
    return twin


class BatchView:
    """What the events of one transaction see and change; lives as long as the transaction."""

    def __init__(
        self,
        catalogue: Catalogue,
        dialect: Dialect,
        inbox: Inbox,
        outbox: Outbox,
        now: datetime,
        witness: Witness | None = None,
    ) -> None:
        self.now = now
        self.witness = witness
        self._catalogue = catalogue
        self._dialect = dialect
        self._integration_ids: set[int] = set()
        self._views: dict[int, IntegrationView] = {}
        self._keys: set[CustomerKey] = set()
        self._ids: set[int] = set()
        self._by_key: dict[CustomerKey, Customer | None] = {}
        self._by_id: dict[int, Customer] = {}
        #: Customers of whom the database can't have anything yet.
        self._new_ids: set[int] = set()
        #: Rows of customers by model and customer; a customer that is listed has been loaded.
        self._rows: dict[type[Model], dict[int, dict[int, Model]]] = {}
        #: Rows of customers that were changed: they stand in for what the database has.
        self._merged: dict[type[Model], dict[int, Model]] = {}
        self._chats: dict[int, Chat] = {}
        self._changes = Changes(dialect, inbox, outbox)
        #: What was inserted and is to be handed over after the commit.
        self.items: list[Item] = []
        self.jobs: list[Event] = []

    # What is going to be asked for: loaded together when the first of it is.

    def expect(self, integration_ids: Iterable[int], keys: Iterable[CustomerKey]) -> None:
        self._integration_ids.update(integration_ids)
        keys = list(keys)
        self._keys.update(keys)
        self._integration_ids.update(integration_id for integration_id, _ in keys)

    def expect_ids(self, customer_ids: Iterable[int]) -> None:
        self._ids.update(customer_ids)

    # Reading

    def integration(self, integration_id: int) -> IntegrationView:
        if integration_id not in self._views:
            self._integration_ids.add(integration_id)
            self._views = self._catalogue.views(self._integration_ids)
        return self._views[integration_id]

    def customer(self, key: CustomerKey) -> Customer | None:
        if key not in self._by_key:
            self._keys.add(key)
            wanted = [one for one in self._keys if one not in self._by_key]
            self._by_key.update(dict.fromkeys(wanted))
            self._keep_customers(self._dialect.customers_by_key(wanted))
        return self._by_key[key]

    def customer_by_id(self, customer_id: int) -> Customer | None:
        if self._by_id.get(customer_id) is None:
            self._ids.add(customer_id)
            wanted = [one for one in self._ids if self._by_id.get(one) is None]
            self._keep_customers(self._dialect.customers_by_id(wanted))
        return self._by_id.get(customer_id)

    def has(self, customer: Customer) -> bool:
        """Tell whether there may be rows of the customer, beside those of the event itself."""
        return customer.id in self._by_id or not customer._state.adding  # noqa: SLF001  documented

    def rows_of(self, model: type[M], customer_id: int) -> Sequence[M]:
        """Give the rows of a customer in the order of their ids."""
        rows = self._rows.setdefault(model, {})
        if customer_id not in rows:
            wanted = [one for one in {*self._by_id, customer_id} if one not in rows]
            rows.update((one, {}) for one in wanted)
            if stored := [one for one in wanted if one not in self._new_ids]:
                for row in self._dialect.rows_of_customers(model, stored):
                    self._changes.loaded(row)
                    rows[row.__dict__["customer_id"]][row.pk] = row
            for merged in self._merged.get(model, {}).values():
                if merged.__dict__["customer_id"] in wanted:
                    rows[merged.__dict__["customer_id"]][merged.pk] = merged
        return [row for row in rows[customer_id].values() if isinstance(row, model)]

    def before(self, row: Model) -> Model | None:
        """Give a row of a customer, or the customer, as it was last merged; None if it is new."""
        if isinstance(row, Customer):
            return self._by_id.get(row.id)
        model, owner = type(row), row.__dict__.get("customer_id")
        known = self._rows.get(model, {}).get(owner, {}) if isinstance(owner, int) else {}
        return known.get(row.pk) or self._merged.get(model, {}).get(row.pk)

    def chat(self, chat_id: int) -> Chat:
        if chat_id not in self._chats:
            integrations = self._integration_ids
            for row in Chat.objects.filter(id=chat_id) | Chat.objects.filter(
                integration_id__in=integrations
            ):
                self._chats.setdefault(row.id, row)
                self._changes.loaded(row)
        return self._chats[chat_id]

    # Changing

    def merge(
        self,
        rows: Iterable[Model],
        items: Sequence[Item],
        jobs: Sequence[tuple[Event, datetime | None]],
        audit: Sequence[AuditEntry],
    ) -> None:
        for row in rows:
            self._put(row)
            self._changes.save(row)
        self._changes.add(items, jobs, audit)

    def flush(self) -> None:
        """Write all that was merged since the last time; what is new is to be handed over."""
        items, jobs = self._changes.write(self.now, self._unreachable)
        self.items += items
        self.jobs += jobs

    def _put(self, row: Model) -> None:
        match row:
            case Customer():
                self._by_key[row.integration_id, row.telegram_user_id] = row
                self._by_id[row.id] = row
                if row._state.adding:  # noqa: SLF001  Django documents `_state`
                    self._new_ids.add(row.id)
            case Chat():
                self._chats[row.id] = row
            case _ if isinstance(owner := row.__dict__.get("customer_id"), int):
                self._merged.setdefault(type(row), {})[row.pk] = row
                known = self._rows.get(type(row), {})
                if owner in known:
                    known[owner][row.pk] = row
            case _:
                pass

    def _unreachable(self, item: Item) -> str:
        """Give why a message can't reach its person, as Telegram would put it; empty if it can."""
        customer = None if item.customer_id is None else self.customer_by_id(item.customer_id)
        if customer is None or customer.telegram_user_id != item.chat_id:
            return ""
        if customer.deactivated_at is not None:
            return "user_deactivated"
        return "blocked_by_user" if customer.blocked_at is not None else ""

    def _keep_customers(self, rows: Iterable[Customer]) -> None:
        for row in rows:
            self._changes.loaded(row)
            key = (row.integration_id, row.telegram_user_id)
            kept = self._by_key.get(key) or row
            self._by_key[key] = kept
            self._by_id[row.id] = kept
