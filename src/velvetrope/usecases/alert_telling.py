"""Telling operators of alerts through their own bots: once when one opens, once when it is over."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from velvetrope.domain.states import ItemState, Priority
from velvetrope.pipeline import jobs
from velvetrope.store.models import Alert, Integration, OutboxItem
from velvetrope.usecases.alerts import close_alert, open_alert
from velvetrope.usecases.wording import alarms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from velvetrope.usecases.wording.outgoing import OutgoingMessage

    #: Somebody who hears of alerts: by which integration's bot, in which chat.
    Hearer = tuple[int, int]

log = structlog.get_logger()

#: Whoever hears of more than so many at once gets them as one message.
MOST_MESSAGES: Final = 3
#: Trouble that comes and goes is told at most this often.
SAME_AGAIN: Final = timedelta(hours=1)
#: How many one run looks at; the next one goes on.
MOST_AT_ONCE: Final = 500
#: While one of these is open, the bot itself can't say so: pages, commands and the log do.
SPEECHLESS: Final = frozenset(
    {"bot_unauthorized", "bot_not_found", "token_of_another_bot", "secret_unreadable"}
)
#: Said of an integration whose operator can't be written to.
UNHEARD: Final = "alerts_unheard"
#: What the occasions of these messages begin with.
OCCASION: Final = "alert:"


def tell_alerts(now: datetime, console_url: str) -> int:
    """Write to operators what is new and what is over; gives how many messages that are.

    Runs in transactions of its own. Alerts that nobody can be told of stay untold, and are told as
    soon as somebody can, if they are still open then.
    """
    with transaction.atomic():
        hearers = _Hearers()
        opened = _new(now)
        ended = list(_ended())
        told = _say(opened, hearers, console_url, now, over=False)
        told |= _say(ended, hearers, console_url, now, over=True)
        Alert.objects.filter(pk__in=[one.pk for one in opened if one.pk in told]).update(
            told_at=now
        )
        # Whoever could hear of the end has, or is gone.
        Alert.objects.filter(pk__in=[one.pk for one in ended]).update(end_told_at=now)
        if told:
            jobs.wake()
    return len(told)


def note_unheard(integration_id: int, now: datetime, *, code: str) -> None:
    """Open an alert about an operator who can't be written to, within the caller's transaction."""
    open_alert(UNHEARD, now, integration_id=integration_id, data={"reason": code})


def note_heard(integration_id: int, now: datetime) -> None:
    """Close that alert: a message came through, or somebody else hears of alerts now."""
    close_alert(UNHEARD, now, integration_id=integration_id)


def _new(now: datetime) -> list[Alert]:
    """Give open alerts that nobody was told of, nor of the same a moment ago."""
    lately = Alert.objects.filter(key=OuterRef("key"), told_at__gt=now - SAME_AGAIN)
    rows = Alert.objects.filter(~Exists(lately), closed_at=None, told_at=None).exclude(code=UNHEARD)
    return list(rows.order_by("id")[:MOST_AT_ONCE])


def _ended() -> Iterable[Alert]:
    rows = Alert.objects.filter(closed_at__isnull=False, told_at__isnull=False, end_told_at=None)
    return rows.order_by("id")[:MOST_AT_ONCE]


class _Hearers:
    """Who hears of what: read once a run."""

    def __init__(self) -> None:
        silent = Alert.objects.filter(code__in=SPEECHLESS, closed_at=None).values("integration_id")
        rows = (
            Integration.objects.filter(alerts_to__isnull=False, active=True)
            .exclude(id__in=silent)
            .order_by("id")
            .values_list("id", "stripe_account_id", "alerts_to", "name")
        )
        self.names: dict[int, str] = {}
        self._of_bot: dict[int, Hearer] = {}
        self._of_account: dict[int | None, dict[int, Hearer]] = defaultdict(dict)
        for key, account, chat, name in rows:
            if chat is None:  # the filter leaves none
                continue
            self.names[key] = name
            self._of_bot[key] = (key, chat)
            for group in (account, None):
                self._of_account[group].setdefault(chat, (key, chat))

    def of(self, alert: Alert) -> list[Hearer]:
        """Give the one of the integration; of an account, or of all, everybody once."""
        if alert.integration_id is not None:
            found = self._of_bot.get(alert.integration_id)
            return [] if found is None else [found]
        return list(self._of_account[alert.stripe_account_id].values())


def _say(
    alerts: Sequence[Alert], hearers: _Hearers, console_url: str, now: datetime, *, over: bool
) -> set[int]:
    """Queue the messages about these alerts; gives the ids of those that somebody hears of."""
    heard: Mapping[Hearer, list[Alert]] = defaultdict(list)
    for alert in alerts:
        for hearer in hearers.of(alert):
            heard[hearer].append(alert)
    word = "over" if over else "open"
    items: list[OutboxItem] = []
    for (integration_id, chat_id), found in heard.items():
        name = hearers.names[integration_id]
        groups = [found] if len(found) > MOST_MESSAGES else [[one] for one in found]
        for group in groups:
            message = alarms.say(name, group, console_url, over=over)
            occasion = f"{OCCASION}{word}:{chat_id}:{group[0].pk}"
            items.append(_item(integration_id, chat_id, message, occasion, now))
    OutboxItem.objects.bulk_create(items, ignore_conflicts=True)
    return {alert.pk for found in heard.values() for alert in found}


def _item(
    integration_id: int, chat_id: int, message: OutgoingMessage, occasion: str, now: datetime
) -> OutboxItem:
    return OutboxItem(
        integration_id=integration_id,
        chat_id=chat_id,
        method="sendMessage",
        params=jobs.encode(message.params(chat_id)),
        priority=Priority.ANSWER.value,
        occasion=occasion,
        state=ItemState.PENDING.value,
        created_at=now,
    )
