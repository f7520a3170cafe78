"""Members from before, as other pages speak of them, and the choice of whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from velvetrope.store.models import Integration
from velvetrope.usecases.adoption.numbers import count_chats
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.pieces import Table

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from velvetrope.store.models import Chat
    from velvetrope.usecases.adoption.numbers import ChatNumbers
    from velvetrope.web.console.vendor import Site

VIEW = ("store.view_integration", "store.view_customer")
CHANGE = ("store.change_integration", "store.change_customer")
#: Bots listed to choose from; whoever has more finds theirs on the bot's page.
_MOST = 100


def page_of(integration_id: int) -> str:
    return reverse("admin:from_before_of", args=[integration_id])


@require_safe
def choose(request: HttpRequest, site: Site) -> HttpResponse:
    """Lead to the page of the only bot, or list the bots."""
    if not request.user.has_perms(VIEW):
        raise PermissionDenied
    rows = list(Integration.objects.order_by("name").only("id", "name", "claim_until")[:_MOST])
    if len(rows) == 1:
        return redirect(page_of(rows[0].pk))
    table = Table(
        "Integrations",
        ("Integration", "Link"),
        [(pieces.link(page_of(row.pk), row.name), link_state(row)) for row in rows],
        empty="No integration yet.",
    )
    context = {**site.each_context(request), "title": "Members from before", "tables": [table]}
    return TemplateResponse(request, "console/tables.html", context)


def link_state(row: Integration) -> SafeString:
    """Show whether members from before can claim their place by the link."""
    if row.claim_until is None:
        return pieces.badge("closed", "off")
    if row.claim_until <= moments.now():
        return pieces.badge("over", "off")
    return pieces.badge("open", "good")


def members_of(chat: Chat) -> SafeString | str:
    """Tell how many members Telegram counts, and how many of them the product looks after."""
    found = next(one for one in count_chats(chat.integration_id) if one.chat.pk == chat.pk)
    return pieces.link(page_of(chat.integration_id), in_words(found))


def in_words(found: ChatNumbers) -> str:
    if found.from_before is None:
        return "not counted yet"
    count, known = found.chat.member_count, found.known
    counted = moments.distance(found.chat.counted_at) if found.chat.counted_at else "never"
    return (
        f"{known} known here; {count} at Telegram, about {found.from_before} of them from before "
        f"(counted {counted})"
    )
