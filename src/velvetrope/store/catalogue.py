"""What operators configure, read-only and cached until its revision changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import connection

from velvetrope.domain.messages import MessageSettings
from velvetrope.domain.policy import Policy
from velvetrope.domain.states import ChatKind, Interval, Registration
from velvetrope.store.models import Chat, Integration, Plan, TextOverride

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from velvetrope.store.encryption import Secret


@dataclass(frozen=True, slots=True)
class ChatView:
    id: int
    telegram_id: int
    title: str
    kind: ChatKind
    invite_link: str
    #: The code of what an operator has to mend; empty when all is well.
    problem: str
    #: Removals wait for an operator.
    braked: bool = False
    #: From when on removals are counted; None: as far back as the policy says.
    brake_released_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlanView:
    id: int
    price_id: str
    product_id: str
    name: str
    currency: str
    #: In minor units; None until the price was synced or when it has no fixed amount.
    unit_amount: int | None
    interval: Interval
    interval_count: int
    trial_days: int | None
    allow_promotion_codes: bool
    duration_days: int | None
    #: The operator sells it and Stripe can.
    for_sale: bool
    chat_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """One integration as handlers see it."""

    id: int
    name: str
    active: bool
    language: str
    time_zone: str
    bot_id: int
    bot_username: str
    stripe_account_id: int
    registration: Registration
    policy: Policy
    terms_url: str
    privacy_url: str
    support_contact: str
    chats: tuple[ChatView, ...]
    plans: tuple[PlanView, ...]
    texts: Mapping[tuple[str, str], str]
    token: Secret = field(repr=False)
    revision: int
    #: Whom this bot tells of alerts, by Telegram id.
    alerts_to: int | None = None
    #: Which messages go out, and when.
    messages: MessageSettings = field(default_factory=MessageSettings)
    #: Until when members from before may claim their place by the link; None: not at all.
    claim_until: datetime | None = None

    def plan(self, plan_id: int) -> PlanView | None:
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    def plan_by_price(self, price_id: str) -> PlanView | None:
        return next((plan for plan in self.plans if plan.price_id == price_id), None)

    def chat(self, chat_id: int) -> ChatView | None:
        return next((chat for chat in self.chats if chat.id == chat_id), None)

    def chat_by_telegram_id(self, telegram_id: int) -> ChatView | None:
        return next((chat for chat in self.chats if chat.telegram_id == telegram_id), None)

    def chats_of(self, plan: PlanView) -> tuple[ChatView, ...]:
        return tuple(chat for chat in self.chats if chat.id in plan.chat_ids)

    @property
    def plans_for_sale(self) -> tuple[PlanView, ...]:
        return tuple(plan for plan in self.plans if plan.for_sale)


class Catalogue:
    """The views of integrations; one small SELECT tells whether a cached one still holds."""

    def __init__(self) -> None:
        self._views: dict[int, IntegrationView] = {}

    def views(self, ids: Iterable[int]) -> dict[int, IntegrationView]:
        """Give the views of those integrations that exist."""
        revisions = _revisions(set(ids))
        stale = [
            key
            for key, revision in revisions.items()
            if key not in self._views or self._views[key].revision != revision
        ]
        if stale:
            self._views |= load_views(stale)
        return {key: self._views[key] for key in revisions if key in self._views}

    def forget(self) -> None:
        """Drop what was read within a transaction that was rolled back: it may never be true."""
        self._views = {}

    def view(self, integration_id: int) -> IntegrationView | None:
        return self.views([integration_id]).get(integration_id)


def _revisions(ids: set[int]) -> dict[int, int]:
    """Read revisions by a plain statement: this is asked for every few events."""
    if not ids:
        return {}
    table = Integration._meta.db_table  # noqa: SLF001  Django documents `_meta`
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, revision FROM {table} WHERE id IN ({marks})",  # noqa: S608  marks only
            list(ids),
        )
        return dict(cursor.fetchall())


def load_views(ids: Iterable[int]) -> dict[int, IntegrationView]:
    """Read integrations with all that belongs to them, in a fixed number of statements."""
    rows = Integration.objects.filter(id__in=ids).prefetch_related(
        "chats", "plans__planchat_set", "texts"
    )
    return {row.id: _view(row) for row in rows}


def _view(row: Integration) -> IntegrationView:
    texts: Iterable[TextOverride] = row.texts.all()
    return IntegrationView(
        id=row.id,
        name=row.name,
        active=row.active,
        language=row.language,
        time_zone=row.time_zone,
        bot_id=row.bot_id,
        bot_username=row.bot_username,
        stripe_account_id=row.stripe_account_id,
        registration=Registration(row.registration),
        policy=Policy.from_differences(row.policy),
        terms_url=row.terms_url,
        privacy_url=row.privacy_url,
        support_contact=row.support_contact,
        chats=tuple(_chat_view(chat) for chat in sorted(row.chats.all(), key=lambda c: c.id)),
        plans=tuple(_plan_view(plan) for plan in row.plans.all()),
        texts={(text.language, text.key): text.text for text in texts},
        token=_present(row.token),
        revision=row.revision,
        alerts_to=row.alerts_to,
        messages=MessageSettings.from_differences(row.reminders),
        claim_until=row.claim_until,
    )


def _present(secret: Secret | None) -> Secret:
    if secret is None:  # the column is not nullable
        raise ValueError("an integration without a token")
    return secret


def _chat_view(chat: Chat) -> ChatView:
    return ChatView(
        id=chat.id,
        telegram_id=chat.telegram_id,
        title=chat.title,
        kind=ChatKind(chat.kind),
        invite_link=chat.invite_link,
        problem=(chat.problem or {}).get("code", ""),
        braked=chat.brake_at is not None,
        brake_released_at=chat.brake_released_at,
    )


def _plan_view(plan: Plan) -> PlanView:
    return PlanView(
        id=plan.id,
        price_id=plan.stripe_price_id,
        product_id=plan.product_id,
        name=plan.product_name,
        currency=plan.currency,
        unit_amount=plan.unit_amount,
        interval=Interval(plan.interval or Interval.ONE_TIME),
        interval_count=plan.interval_count,
        trial_days=plan.trial_days,
        allow_promotion_codes=plan.allow_promotion_codes,
        duration_days=plan.duration_days,
        for_sale=plan.on_sale and plan.sellable,
        chat_ids=tuple(sorted(link.chat_id for link in plan.planchat_set.all())),
    )
