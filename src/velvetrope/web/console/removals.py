"""Removals that wait for an operator: who, why, and the word that lets them go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from velvetrope.store.models import Access, Chat
from velvetrope.usecases import operations
from velvetrope.usecases.explaining.rights import because_of
from velvetrope.usecases.explaining.terms import Terms
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.asking import Question, ask
from velvetrope.web.console.people_search import number_of
from velvetrope.web.console.rights import who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from velvetrope.usecases.operations import HeldChat, HeldPerson
    from velvetrope.web.console.vendor import Site

_VIEW: Final = "store.view_access"
_CHANGE: Final = "store.change_access"
_MOST_COUNTED: Final = 100


@dataclass(frozen=True, slots=True)
class _Line:
    access_id: int
    person: SafeString
    why: SafeString
    since: SafeString


@dataclass(frozen=True, slots=True)
class _Room:
    held: HeldChat
    page: SafeString
    since: SafeString
    lines: Sequence[_Line]

    @property
    def hidden(self) -> int:
        return self.held.number - len(self.lines)


@require_http_methods(["GET", "HEAD", "POST"])
def removals(request: HttpRequest, site: Site) -> HttpResponse:
    """List with GET; confirm or look up again with POST."""
    if not request.user.has_perm(_VIEW):
        raise PermissionDenied
    if request.method == "POST":
        return _act(request, site)
    context = {
        **site.each_context(request),
        "title": "Removals",
        "rooms": [_room(one) for one in operations.list_held_chats()],
        "may_act": request.user.has_perm(_CHANGE),
    }
    return TemplateResponse(request, "console/removals.html", context)


def removals_badge(request: HttpRequest) -> str:
    """Give the number of chats in the menu; nothing when none waits."""
    if not request.user.has_perm(_VIEW):
        return ""
    number = Chat.objects.filter(brake_at__isnull=False)[:_MOST_COUNTED].count()
    return str(number) if number else ""


def _act(request: HttpRequest, site: Site) -> HttpResponse:
    if not request.user.has_perm(_CHANGE):
        raise PermissionDenied
    chat = Chat.objects.filter(id=number_of(request.POST.get("chat", "")) or 0).first()
    verb = request.POST.get("verb", "")
    back = redirect(reverse("admin:removals"))
    if chat is None or verb not in {"confirm", "confirm-all", "recheck"}:
        messages.error(request, "Choose a chat, and what to do.")
        return back
    if verb == "recheck":
        done = operations.recheck_held(chat.pk, actor_of(request))
        messages.success(request, f"{_people(done)} looked up at Stripe again: reload in a moment.")
        return back
    chosen = None if verb == "confirm-all" else _chosen(request, chat)
    if chosen == []:
        messages.error(request, "Choose at least one person.")
        return back
    if "confirmed" not in request.POST:
        return _confirm(request, site, chat, chosen)
    done = operations.confirm_removals(chat.pk, actor_of(request), access_ids=chosen)
    messages.success(request, f"{_people(done)} taken out, unless Stripe says otherwise now.")
    return back


def _confirm(
    request: HttpRequest, site: Site, chat: Chat, chosen: Sequence[int] | None
) -> HttpResponse:
    held = next((one for one in operations.list_held_chats() if one.chat.pk == chat.pk), None)
    number = (held.number if held else 0) if chosen is None else len(chosen)
    people = "1 person" if number == 1 else f"{number} people"
    question = Question(
        title="Take out",
        subject=str(chat),
        words=(
            f"Take {people} out of {chat}? Each is looked up at Stripe once more first: who has "
            "paid stays."
        ),
        label=f"Take {people} out",
        look="danger",
        post_to=reverse("admin:removals"),
        back=reverse("admin:removals"),
        fields=[
            ("chat", str(chat.pk)),
            ("verb", "confirm-all" if chosen is None else "confirm"),
            *(("access", str(key)) for key in chosen or ()),
        ],
    )
    return ask(request, site, question)


def _chosen(request: HttpRequest, chat: Chat) -> list[int]:
    asked = [number_of(text) or 0 for text in request.POST.getlist("access")]
    return list(Access.objects.filter(chat=chat, id__in=asked).values_list("id", flat=True))


def _room(held: HeldChat) -> _Room:
    terms = Terms(held.chat.integration, moments.now())
    return _Room(
        held=held,
        page=pieces.row_link(held.chat),
        since=moments.ago(held.chat.brake_at),
        lines=[_line(one, terms) for one in held.people],
    )


def _line(one: HeldPerson, terms: Terms) -> _Line:
    return _Line(
        access_id=one.access.pk,
        person=pieces.row_link(one.customer, who(one.customer)),
        why=pieces.lines(because_of(row, terms) for row in one.ended),
        since=moments.when(one.access.desired_at),
    )


def _people(number: int) -> str:
    return "1 person is" if number == 1 else f"{number} people are"
