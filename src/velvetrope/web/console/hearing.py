"""Who hears of an integration's alerts, on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.validation import Invalid
from velvetrope.usecases import alert_hearers
from velvetrope.web.console import moments
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.people_search import number_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from velvetrope.store.models import Integration


def panel(row: Integration, post_to: str) -> dict[str, object]:
    """Give what the page needs to name somebody."""
    now = moments.now()
    return {
        "to": row.alerts_to,
        "address": alert_hearers.link_address(row, now),
        "code": alert_hearers.link_code(row, now),
        "url": post_to,
    }


def hear(request: HttpRequest, row: Integration) -> str:
    """Name somebody by an id; chats have negative ones."""
    given = request.POST.get("alerts_to", "").strip()
    number = number_of(given)
    if number is None:
        remedy = "Give the Telegram id as a number, or open the link with that account."
        raise Invalid("telegram_id_malformed", "alerts_to", given[:20], remedy)
    alert_hearers.hear(row.pk, number, actor_of(request), moments.now())
    return f"The bot tells {number} of alerts."


def hear_nobody(request: HttpRequest, row: Integration) -> str:
    alert_hearers.hear(row.pk, None, actor_of(request), moments.now())
    return "The bot tells nobody of alerts; they are shown here."
