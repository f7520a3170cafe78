"""The page «Members from before» of one integration: whom it concerns, the link, and lists."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from velvetrope.domain.days import read_deadline
from velvetrope.domain.states import AdoptionState
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import Adoption, Integration
from velvetrope.usecases.adoption.claiming import claim_link
from velvetrope.usecases.adoption.summary import describe
from velvetrope.usecases.operations import claims, member_lists
from velvetrope.usecases.wording.problems import explain
from velvetrope.usecases.wording.texts import LANGUAGE_NAMES
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.from_before import CHANGE, VIEW, link_state, page_of
from velvetrope.web.console.people_search import number_of
from velvetrope.web.console.pieces import Block, Table
from velvetrope.web.console.prices import price_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from velvetrope.domain.members_list import Mistake
    from velvetrope.usecases.operations.claims import ChatClaim
    from velvetrope.web.console.vendor import Site

    #: Does what a button says; gives what to tell, or an answer of its own.
    Act = Callable[[HttpRequest, Integration], str]

#: Bytes of a list that is uploaded; longer ones are for the command line.
MOST_UPLOADED: Final = 2 * 1024 * 1024
_MISTAKES_SHOWN: Final = 50
_LISTS_SHOWN: Final = 20


class _MistakesError(Exception):
    """Lines of an uploaded list can't be used."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__()


@dataclass(frozen=True, slots=True)
class _List:
    """A list that is not through, as the page shows it."""

    id: int
    title: str
    badge: SafeString
    lines: Sequence[str]
    #: How far it is, while something is under way.
    progress: str
    concerned: int
    can_confirm: bool
    can_discard: bool
    trouble: str


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, site: Site, integration_id: int) -> HttpResponse:
    """Show the page with GET; do what one of its buttons says with POST."""
    if not request.user.has_perms(VIEW):
        raise PermissionDenied
    row = Integration.objects.defer("token", "webhook_secret").filter(pk=integration_id).first()
    if row is None:
        raise Http404
    if request.method != "POST":
        return _page(request, site, row)
    if not request.user.has_perms(CHANGE):
        raise PermissionDenied
    act = _VERBS.get(request.POST.get("verb", ""))
    if act is None:
        return redirect(page_of(row.pk))
    try:
        messages.success(request, act(request, row))
    except Invalid as refusal:
        messages.error(request, refusal.remedy)
    except _MistakesError as found:
        return _page(request, site, row, found.mistakes)
    return redirect(page_of(row.pk))


def _page(
    request: HttpRequest, site: Site, row: Integration, mistakes: Sequence[Mistake] = ()
) -> HttpResponse:
    preview = claims.preview_claims(row)
    is_open = row.claim_until is not None and row.claim_until > moments.now()
    lists = Adoption.objects.filter(integration=row).order_by("-id")[:_LISTS_SHOWN]
    context = {
        **site.each_context(request),
        "title": "Members from before",
        "integration": row,
        "integration_url": pieces.row_url("integration", row.pk),
        "post_to": page_of(row.pk),
        "may_act": request.user.has_perms(CHANGE),
        "chat_table": _chat_table(preview),
        "is_open": is_open,
        "link_state": link_state(row),
        "until": moments.when(row.claim_until) if row.claim_until else "",
        "link": claim_link(row.bot_username),
        "posts": _posts(row) if is_open else [],
        "today": moments.now().date().isoformat(),
        "plans": [(one.pk, f"{one} ({price_of(one)})") for one in row.plans.all()],
        "chats": [(one.pk, str(one)) for one in row.chats.order_by("id")],
        "typed": request.POST,
        "chosen_chats": request.POST.getlist("chat"),
        "mistakes": [str(one) for one in mistakes[:_MISTAKES_SHOWN]],
        "more_mistakes": max(0, len(mistakes) - _MISTAKES_SHOWN),
        "lists": [_list(one) for one in lists if one.state != AdoptionState.DONE],
        "done_table": _done_table([one for one in lists if one.state == AdoptionState.DONE]),
        "most_uploaded": MOST_UPLOADED // 1024 // 1024,
    }
    return TemplateResponse(request, "console/from_before.html", context)


def _chat_table(preview: Sequence[ChatClaim]) -> Table:
    return Table(
        "Who is in the chats",
        (
            "Chat",
            "Telegram counts",
            "Known here",
            "From before",
            "By the link",
            "May leave at once",
            "Counted",
        ),
        [
            (
                pieces.row_link(one.numbers.chat),
                _number(one.numbers.chat.member_count),
                str(one.numbers.known),
                _number(one.numbers.from_before, about="about "),
                pieces.yes_no(one.covered, yes="can be claimed", no="no plan opens it alone"),
                str(one.brake),
                moments.ago(one.numbers.chat.counted_at),
            )
            for one in preview
        ],
        empty="The integration has no chat.",
    )


def _number(number: int | None, *, about: str = "") -> str:
    return "not counted yet" if number is None else f"{about}{number}"


def _posts(row: Integration) -> list[Block]:
    posts = claims.claim_posts(row, row.claim_until) if row.claim_until else {}
    return [Block(LANGUAGE_NAMES[language], text) for language, text in posts.items()]


def _list(adoption: Adoption) -> _List:
    done, people = member_lists.progress_of(adoption)
    under_way = {
        AdoptionState.LOOKING: f"Telegram was asked about {done} of {people} people.",
        AdoptionState.ADOPTING: f"{done} of {people} people are through.",
    }
    code = member_lists.trouble_of(adoption)
    trouble = explain(code) if code else None
    state = AdoptionState(adoption.state)
    return _List(
        id=adoption.pk,
        title=_title(adoption),
        badge=pieces.badge(_STATES[state], "warn" if trouble else "info"),
        lines=describe(adoption) if state is AdoptionState.READY else (),
        progress=under_way.get(state, ""),
        concerned=int(adoption.numbers.get("concerned", 0)),
        can_confirm=state is AdoptionState.READY,
        can_discard=state in {AdoptionState.READY, AdoptionState.LOOKING},
        trouble=f"{trouble.what} {trouble.fix} Then replay it among the dead letters."
        if trouble
        else "",
    )


_STATES: Final[Mapping[AdoptionState, str]] = {
    AdoptionState.LOOKING: "looking",
    AdoptionState.READY: "waits for you",
    AdoptionState.ADOPTING: "adopting",
    AdoptionState.DONE: "done",
}


def _title(adoption: Adoption) -> str:
    if adoption.comp:
        return f"Friends of the owner: {adoption.plan}, for ever"
    if adoption.until is None:
        return f"{adoption.plan}, each until a day of their own"
    zone = ZoneInfo(adoption.integration.time_zone)
    return f"{adoption.plan}, until {adoption.until.astimezone(zone):%Y-%m-%d}"


def _done_table(done: Sequence[Adoption]) -> Table:
    return Table(
        "Lists that are through",
        ("Finished", "What", "Result", "By"),
        [
            (moments.when(one.finished_at), _title(one), pieces.lines(describe(one)), one.actor)
            for one in done
        ],
        empty="None yet.",
    )


def _open(request: HttpRequest, row: Integration) -> str:
    until = _deadline(request, row)
    if until is None:
        raise Invalid("day_missing", "until", "", "Choose the day until which places are kept.")
    claims.set_claim_deadline(row.pk, until, actor_of(request))
    return "The link is open. Post one of the texts in the chat."


def _close(request: HttpRequest, row: Integration) -> str:
    claims.set_claim_deadline(row.pk, None, actor_of(request))
    return "The link is closed: it leads to the plans. Whoever has claimed keeps their day."


def _count(_request: HttpRequest, row: Integration) -> str:
    claims.count_members(row.pk)
    return "Telegram is asked how many members there are. Reload in a moment."


def _upload(request: HttpRequest, row: Integration) -> str:
    file = request.FILES.get("file")
    plan = row.plans.filter(pk=number_of(request.POST.get("plan", "")) or 0).first()
    if plan is None:
        raise Invalid("plan_unknown", "plan", "", "Choose the plan that they are to hold.")
    if file is None or isinstance(file, list):
        raise Invalid("list_missing", "file", "", "Choose the file with the list.")
    if (file.size or 0) > MOST_UPLOADED:
        remedy = "This list is too large for the console. Use: velvetrope members import"
        raise Invalid("list_too_large", "file", "", remedy)
    keys = [number_of(one) or 0 for one in request.POST.getlist("chat")]
    chats = list(row.chats.filter(pk__in=keys).order_by("id"))
    is_comp = "comp" in request.POST
    until = None if is_comp else _deadline(request, row)
    terms = member_lists.list_terms(row, plan, chats, until, comp=is_comp)
    found = member_lists.read_members(BytesIO(file.read()), terms)
    if found.mistakes and ("skip_bad" not in request.POST or not found.lines):
        raise _MistakesError(found.mistakes)
    member_lists.start_adoption(terms, found, actor_of(request))
    return "Nobody is touched yet: Telegram is asked where everybody is. Reload in a moment."


def _confirm(request: HttpRequest, row: Integration) -> str:
    adoption = _chosen(request, row)
    if adoption is None or not member_lists.confirm_adoption(adoption.pk, actor_of(request)):
        raise Invalid("list_gone", "list", "", "That can't be done any more: it has changed since.")
    return "They are being adopted, one after the other. Reload in a moment."


def _discard(request: HttpRequest, row: Integration) -> str:
    adoption = _chosen(request, row)
    if adoption is None or not member_lists.discard_adoption(adoption.pk):
        raise Invalid("list_gone", "list", "", "That can't be done any more: it has changed since.")
    return "The list is forgotten; nobody was touched."


_VERBS: Final[Mapping[str, Act]] = {
    "open": _open,
    "close": _close,
    "count": _count,
    "upload": _upload,
    "confirm": _confirm,
    "discard": _discard,
}


def _chosen(request: HttpRequest, row: Integration) -> Adoption | None:
    key = number_of(request.POST.get("list", "")) or 0
    return Adoption.objects.filter(pk=key, integration=row).first()


def _deadline(request: HttpRequest, row: Integration) -> datetime | None:
    text = request.POST.get("until", "").strip()
    return read_deadline(text, ZoneInfo(row.time_zone), moments.now()) if text else None
