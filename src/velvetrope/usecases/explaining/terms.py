"""How things are called in an explanation: days, plans, chats, people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.civil import zone_of
from velvetrope.domain.policy import Policy
from velvetrope.domain.states import EntitlementKind, Interval
from velvetrope.store.models import Chat, Customer, Integration, Plan, PlanChat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from velvetrope.store.models import Entitlement

_RHYTHMS: Final = {
    Interval.DAY.value: ("daily", "days"),
    Interval.WEEK.value: ("weekly", "weeks"),
    Interval.MONTH.value: ("monthly", "months"),
    Interval.YEAR.value: ("yearly", "years"),
}


class Terms:
    """The words of one integration, in its time zone; `now` decides what needs a year."""

    def __init__(
        self, integration: Integration, now: datetime, stripe_customer_id: str | None = None
    ) -> None:
        #: The person's own customer at Stripe: others may pay for them.
        self.stripe_customer_id = stripe_customer_id
        self.now = now
        self.integration = integration
        self.policy = Policy.from_differences(integration.policy)
        self.zone: tzinfo = zone_of(integration.time_zone)
        self.plans = {row.id: row for row in Plan.objects.filter(integration=integration)}
        self.chats = {
            row.id: row for row in Chat.objects.filter(integration=integration).order_by("id")
        }
        pairs = PlanChat.objects.filter(plan__integration=integration)
        self._opens: dict[int, set[int]] = {}
        for plan_id, chat_id in pairs.values_list("plan_id", "chat_id"):
            self._opens.setdefault(plan_id, set()).add(chat_id)

    def opens(self, plan_id: int, chat_id: int) -> bool:
        return chat_id in self._opens.get(plan_id, ())

    def day(self, moment: datetime) -> str:
        """Write «3 December», with the year if it is another one than this."""
        local = moment.astimezone(self.zone)
        day = f"{local.day} {local:%B}"
        return day if local.year == self.now.astimezone(self.zone).year else f"{day} {local.year}"

    def moment(self, moment: datetime) -> str:
        """Write «3 December, 14:05»."""
        return f"{self.day(moment)}, {moment.astimezone(self.zone):%H:%M}"

    def chat(self, chat_id: object) -> str:
        row = self.chats.get(chat_id) if isinstance(chat_id, int) else None
        return f"«{row}»" if row is not None else "a chat that is no longer part of this bot"

    def chat_of_telegram(self, telegram_id: int) -> str:
        rows = (row for row in self.chats.values() if row.telegram_id == telegram_id)
        found = next(rows, None)
        return f"«{found}»" if found is not None else "a chat"

    def plan(self, plan_id: object) -> str:
        """Write a plan's name alone: «Plan 1»."""
        row = self.plans.get(plan_id) if isinstance(plan_id, int) else None
        return f"«{row}»" if row is not None else "a plan that is no longer part of this bot"

    def ground(self, kind: str, plan_id: object) -> str:
        """Write what a right rests on: «the monthly subscription to «Plan 1»»."""
        plan = self.plan(plan_id)
        if kind == EntitlementKind.GRANT:
            return f"the access to {plan} that was given by hand"
        if kind == EntitlementKind.CLAIM:
            return f"the time to subscribe to {plan}, as a member from before"
        if kind == EntitlementKind.ONE_TIME:
            return f"the one-time payment for {plan}"
        return f"the {self._rhythm(plan_id)}subscription to {plan}"

    def ground_of(self, row: Entitlement) -> str:
        return self.ground(row.kind, row.plan_id)

    def _rhythm(self, plan_id: object) -> str:
        row = self.plans.get(plan_id) if isinstance(plan_id, int) else None
        if row is None or row.interval not in _RHYTHMS:
            return ""
        single, several = _RHYTHMS[row.interval]
        count = row.interval_count
        return f"{single} " if count <= 1 else f"{count}-{several.removesuffix('s')} "


def name_of(customer: Customer) -> str:
    """Name a person as operators find them; without signs that turn or hide what follows."""
    name = "".join(sign for sign in customer.first_name if sign.isprintable()).strip()
    handle = f"@{customer.username}" if customer.username else ""
    return " ".join(part for part in (name, handle) if part) or str(customer.telegram_user_id)


def actor(text: str) -> str:
    """Name who did it: an operator, somebody at the command line, the product itself."""
    kind, _, name = text.partition(":")
    if kind == "operator" and name:
        return f"operator {name}"
    return {"command line": "somebody at the command line", "product": "the product"}.get(
        text, text
    )


def listing(parts: Sequence[str]) -> str:
    """Join: «a, b and c»."""
    if len(parts) <= 1:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop."""
    text = text.strip()
    end = "" if not text or text[-1] in ".!?:" else "."
    return f"{text[:1].upper()}{text[1:]}{end}"


def clause(text: str) -> str:
    """Put a sentence of the table of problems into the middle of another one."""
    text = text.strip().rstrip(".")
    keeps = text[:1].isupper() and text.split(" ", 1)[0] in _NAMES
    return text if keeps else f"{text[:1].lower()}{text[1:]}"


#: Words that keep their capital in the middle of a sentence.
_NAMES: Final = frozenset({"Telegram", "Stripe", "Stripe's", "Telegram's", "VELVETROPE_PUBLIC_URL"})
