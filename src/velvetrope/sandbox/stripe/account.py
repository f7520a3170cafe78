"""One account: its objects, its events and what the sandbox knows about them beyond Stripe."""

from __future__ import annotations

import contextlib
from copy import deepcopy
from typing import TYPE_CHECKING

from . import errors
from .hidden import BillingSettings, CardConduct, SessionDraft, SigningSecret
from .shapes import API_VERSION, Obj, deleted, difference, new_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .world import World

_EVENTS_KEPT = 30 * 86400


class Account:
    """The state of one Stripe account."""

    def __init__(self, world: World, key: str, *, name: str, country: str) -> None:
        self.world = world
        self.key = key
        self.name = name
        self.settings = BillingSettings()
        self.objects: dict[str, dict[str, Obj]] = {}
        self.index: dict[str, Obj] = {}
        self.gone: dict[str, str] = {}
        self.conduct: dict[str, CardConduct] = {}
        self.drafts: dict[str, SessionDraft] = {}
        self.line_items: dict[str, list[Obj]] = {}
        self.prorations: dict[str, list[Obj]] = {}
        #: The invoice payment that joins an invoice and a payment intent, by either's id.
        self.pairs: dict[str, str] = {}
        #: The Checkout Session that made a payment intent, and the intent of a declined try.
        self.paid_by: dict[str, str] = {}
        self.tried: dict[str, str] = {}
        #: Subscriptions whose trial's end was announced.
        self.noticed: set[str] = set()
        self.invoice_count = 0
        #: Of the API request being answered, as events show it.
        self.request: Obj = {"id": None, "idempotency_key": None}
        #: The signing secrets of each webhook endpoint, the newest first.
        self.secrets: dict[str, list[SigningSecret]] = {}
        self.data = self.add(_account_object(name, country, world.now()))

    @property
    def id(self) -> str:
        return str(self.data["id"])

    def now(self) -> int:
        return self.world.now()

    def add(self, obj: Obj) -> Obj:
        """Keep a new object and give it back."""
        self.objects.setdefault(obj["object"], {})[obj["id"]] = obj
        self.index[obj["id"]] = obj
        return obj

    def all(self, kind: str) -> list[Obj]:
        """Give every object of a kind, oldest first."""
        return list(self.objects.get(kind, {}).values())

    def find(self, kind: str, ident: str | None) -> Obj | None:
        return self.objects.get(kind, {}).get(ident) if ident else None

    def get(self, kind: str, ident: str, param: str = "id") -> Obj:
        """Give an object or raise Stripe's `resource_missing` naming `param`."""
        obj = self.find(kind, ident)
        if obj is None:
            raise errors.resource_missing(kind, ident, param)
        return obj

    def remove(self, obj: Obj) -> Obj:
        """Delete an object; what is left of it can still be retrieved where Stripe allows."""
        del self.objects[obj["object"]][obj["id"]]
        del self.index[obj["id"]]
        self.gone[obj["id"]] = obj["object"]
        return deleted(obj["object"], obj["id"])

    def schedule(self, moment: float, obj: Obj) -> None:
        """Have `obj` looked at when `moment` comes."""
        self.world.schedule(moment, self, obj["id"])

    def emit(self, kind: str, obj: Obj, previous: Obj | None = None) -> Obj:
        """Record an event about `obj` as it is now, and pass it on to the webhooks."""
        data: Obj = {"object": deepcopy(obj)}
        if previous is not None:
            data["previous_attributes"] = deepcopy(previous)
        event = self.add(
            {
                "id": new_id("evt"),
                "object": "event",
                "api_version": API_VERSION,
                "created": self.now(),
                "data": data,
                "livemode": False,
                "pending_webhooks": 0,
                "request": dict(self.request),
                "type": kind,
            }
        )
        self.world.tell(self, event)
        return event

    @contextlib.contextmanager
    def changing(self, obj: Obj, kind: str) -> Iterator[Obj]:
        """Emit `kind` with the previous attributes if the block changes `obj`."""
        before = deepcopy(obj)
        yield obj
        previous = difference(before, obj)
        if previous:
            self.emit(kind, obj, previous)

    def set_secret(self, endpoint: str, text: str, keep_old_until: float = 0.0) -> None:
        """Sign with `text` from now on, and with the former secrets until that moment too."""
        for secret in self.secrets.get(endpoint, []):
            secret.until = min(secret.until, keep_old_until)
        self.secrets.setdefault(endpoint, []).insert(0, SigningSecret(text))

    def events(self) -> list[Obj]:
        """Give the events of the last 30 days, oldest first."""
        return [event for event in self.all("event") if not self.is_forgotten(event)]

    def is_forgotten(self, event: Obj) -> bool:
        """Tell whether Stripe would no longer show an event."""
        return bool(event["created"] < self.now() - _EVENTS_KEPT)


def _account_object(name: str, country: str, now: int) -> Obj:
    return {
        "id": new_id("acct", 16),
        "object": "account",
        "business_profile": {"name": name, "url": None, "support_email": None, "mcc": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": country,
        "created": now,
        "default_currency": "eur",
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "branding": {"icon": None, "logo": None},
            "card_payments": {"statement_descriptor_prefix": None},
            "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": "SANDBOX"},
        },
        "type": "standard",
    }
