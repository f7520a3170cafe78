"""A conversation without a database: the real `Work` over rows in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from tests.usecases.wording import gallery
from velvetrope.pipeline.events import CustomerKey, Event, Item
from velvetrope.pipeline.work import Work
from velvetrope.store.models import Customer, Entitlement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import Model

    from velvetrope.pipeline.routes import Handler
    from velvetrope.pipeline.view import BatchView
    from velvetrope.store.catalogue import IntegrationView
    from velvetrope.store.models import AuditEntry, Chat

USER = 77


class Button(msgspec.Struct):
    text: str
    url: str = ""
    callback_data: str = ""


class Keyboard(msgspec.Struct):
    inline_keyboard: list[list[Button]]


class Said(msgspec.Struct):
    """The parameters of a call to the Bot API, as far as a conversation uses them."""

    chat_id: int = 0
    text: str = ""
    message_id: int = 0
    callback_query_id: str = ""
    reply_markup: Keyboard | None = None

    @property
    def buttons(self) -> list[Button]:
        rows = self.reply_markup.inline_keyboard if self.reply_markup else []
        return [button for row in rows for button in row]


class Desk:
    """Rows in memory, and what the handlers left to be sent and done."""

    def __init__(self, view: IntegrationView = gallery.FULL) -> None:
        self.view = view
        self.witness = None
        self.now = gallery.NOW
        self.rows: dict[tuple[type[Model], int], Model] = {}
        self.items: list[Item] = []
        self.jobs: list[Event] = []
        self._ids = iter(range(1, 1000))

    # What `Work` asks of a transaction.

    def integration(self, integration_id: int) -> IntegrationView:
        assert integration_id == self.view.id
        return self.view

    def customer(self, key: CustomerKey) -> Customer | None:
        for row in self.rows.values():
            if isinstance(row, Customer) and (row.integration_id, row.telegram_user_id) == key:
                return row
        return None

    def has(self, customer: Customer) -> bool:
        return any(row is customer or row.pk == customer.id for row in self.rows.values())

    def rows_of(self, model: type[Model], customer_id: int) -> Sequence[Model]:
        return [
            row
            for row in self.rows.values()
            if isinstance(row, model) and row.__dict__["customer_id"] == customer_id
        ]

    def merge(
        self,
        rows: Iterable[Model],
        items: Sequence[Item],
        jobs: Sequence[tuple[Event, datetime | None]],
        audit: Sequence[AuditEntry],  # noqa: ARG002  the port's signature
    ) -> None:
        self.keep(*rows)
        self.items += items
        self.jobs += [job for job, _ in jobs]

    def chat(self, chat_id: int) -> Chat:
        raise LookupError(chat_id)

    # What a test does.

    def keep(self, *rows: Model) -> None:
        for row in rows:
            self.rows[type(row), cast("int", row.pk)] = row

    def known(self, **fields: object) -> Customer:
        """Have the person known as a customer."""
        values: dict[str, object] = {
            "integration_id": self.view.id,
            "telegram_user_id": USER,
            "first_name": "Anna",
            "telegram_language": "en",
            "created_at": self.now,
            "started_at": self.now,
        }
        customer = Customer(**(values | fields))
        self.keep(customer)
        return customer

    def holding(self, customer: Customer, plan_id: int, **fields: object) -> None:
        values: dict[str, object] = {
            "customer_id": customer.id,
            "plan_id": plan_id,
            "kind": "subscription",
            "external_id": f"sub_{next(self._ids)}",
            "status": "active",
            "starts_at": self.now,
            "period_end": gallery.LATER,
            "holds": True,
            "reason": "active",
            "decided_at": self.now,
            "synced_at": self.now,
            "created_at": self.now,
        }
        self.keep(Entitlement(**(values | fields)))

    @property
    def person(self) -> Customer:
        customer = self.customer((self.view.id, USER))
        assert customer is not None
        return customer

    def event(self, payload: object, *, kind: str = "message", source: str = "telegram") -> Event:
        number = next(self._ids)
        return Event(
            id=number,
            source=source,
            account=self.view.id,
            external_id=str(number),
            kind=kind,
            lane=f"tg:{self.view.id}:{USER}",
            payload=payload if isinstance(payload, bytes) else msgspec.json.encode(payload),
            received_at=self.now,
        )

    async def hear(self, handler: Handler[object], event: Event) -> str | None:
        """Take an event through both phases."""
        facts = await handler.prepare(event)
        expected = handler.subjects(event, facts)
        work = Work(cast("BatchView", self), self.now, event.id)
        outcome = handler.apply(event, facts, work)
        work.merge()
        assert all(key[0] == self.view.id for key in expected)
        return outcome

    def said(self) -> list[tuple[str, Said]]:
        """Give, and forget, what is to be sent."""
        said = [(item.method, msgspec.json.decode(item.params, type=Said)) for item in self.items]
        self.items.clear()
        return said

    def text(self) -> str:
        """Give the text of the only message that is to be sent."""
        [said] = [one for method, one in self.said() if method != "answerCallbackQuery"]
        return said.text


def user(**fields: object) -> dict[str, object]:
    return {"id": USER, "is_bot": False, "first_name": "Anna", "language_code": "en", **fields}


def message(text: str | None, **fields: object) -> dict[str, object]:
    body: dict[str, object] = {
        "message_id": 5,
        "date": int(gallery.NOW.timestamp()),
        "chat": {"id": USER, "type": "private"},
        "from": user(),
        **({} if text is None else {"text": text}),
        **fields,
    }
    return {"update_id": 1, "message": body}


def press(data: str | None, **fields: object) -> dict[str, object]:
    """Give the update of a button of a message that the bot has sent before."""
    holder = {"message_id": 9, "date": 1, "chat": {"id": USER, "type": "private"}}
    body: dict[str, object] = {"id": "q1", "from": user(), "message": holder, "data": data}
    return {"update_id": 1, "callback_query": body | fields}
