"""Alerts as operators read them: open ones first, each with its words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from velvetrope.store.models import Alert, Chat
from velvetrope.usecases.wording.problems import PROBLEMS, Explanation, explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet

#: What a code without words is counted as: labels of metrics stay few.
OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class AlertInWords:
    row: Alert
    said: Explanation

    @property
    def where(self) -> str:
        """Name whose it is: an integration, a Stripe account, or the whole installation."""
        return str(self.row.integration or self.row.stripe_account or "everything")


def list_alerts(
    *, is_open: bool | None = None, integration_id: int | None = None, limit: int
) -> list[AlertInWords]:
    """List the newest alerts, open ones first; `is_open` None lists both."""
    rows = Alert.objects.select_related("integration", "stripe_account").defer(
        "integration__token",
        "integration__webhook_secret",
        "stripe_account__api_key",
        "stripe_account__webhook_secrets",
    )
    if integration_id is not None:
        rows = rows.filter(integration_id=integration_id)
    found: list[Alert] = []
    if is_open is not False:
        found += rows.filter(closed_at=None).order_by("-id")[:limit]
    if is_open is not True:
        found += rows.filter(closed_at__isnull=False).order_by("-id")[: limit - len(found)]
    return in_words(found)


def in_words(rows: Sequence[Alert]) -> list[AlertInWords]:
    """Explain alerts, with the titles of the chats that they name."""
    ids = {value for row in rows if isinstance(value := row.data.get("chat"), int)}
    titles = {
        chat.telegram_id: str(chat)
        for chat in Chat.objects.filter(telegram_id__in=ids).only("telegram_id", "title")
    }
    return [
        AlertInWords(row, explain({"code": row.code, "data": row.data}, titles)) for row in rows
    ]


def open_alerts() -> QuerySet[Alert]:
    return Alert.objects.filter(closed_at=None)


def count_open_by_code() -> dict[str, int]:
    """Count open alerts by code; codes without words count as one."""
    counted: Counter[str] = Counter()
    for code in open_alerts().values_list("code", flat=True):
        counted[code if code in PROBLEMS else OTHER] += 1
    return dict(counted)
