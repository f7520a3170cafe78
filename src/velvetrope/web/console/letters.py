"""Dead letters on one page: what failed for good, why, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from velvetrope.store.models import Integration
from velvetrope.usecases import operations
from velvetrope.usecases.operations import DeadLetter, Kind, Ref, Selection
from velvetrope.usecases.wording.problems import explain
from velvetrope.web.console import payloads, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.asking import Question, ask
from velvetrope.web.console.moments import ago
from velvetrope.web.console.people_search import number_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse, QueryDict
    from django.utils.safestring import SafeString

    from velvetrope.usecases.wording.problems import Explanation
    from velvetrope.web.console.vendor import Site

PER_PAGE: Final = 25
MOST: Final = 1000
_VIEW = ("store.view_inboxevent", "store.view_outboxitem")
_CHANGE = ("store.change_inboxevent", "store.change_outboxitem")
_VERBS: Final = {"replay": ("Replay", "primary"), "discard": ("Discard", "danger")}


@dataclass(frozen=True, slots=True)
class _Line:
    """One dead letter as the page shows it."""

    letter: DeadLetter
    page: str
    source: SafeString
    integration: str
    at: SafeString
    why: Explanation
    trace: str


@require_http_methods(["GET", "HEAD", "POST"])
def dead_letters(request: HttpRequest, site: Site) -> HttpResponse:
    """List with GET; replay or discard with POST, after a question unless it is one replay."""
    if not request.user.has_perms(_VIEW):
        raise PermissionDenied
    if request.method == "POST":
        return _act(request, site)
    return _page(request, site)


def _page(request: HttpRequest, site: Site) -> HttpResponse:
    selection = _selection(request.GET)
    found = operations.list_dead(selection, limit=PER_PAGE + 1)
    shown = found[:PER_PAGE]
    everything = Selection(selection.error_code, selection.kind, selection.integration_id)
    number = operations.count_dead(everything, most=MOST)
    context = {
        **site.each_context(request),
        "title": "Dead letters",
        "lines": _lines(shown),
        "number": f"{number:,}+" if number >= MOST else str(number),
        "is_any": number > 0,
        "next_page": _next_page(request.GET, shown) if len(found) > PER_PAGE else "",
        "selection": selection,
        "filters": _filters(selection),
        "kinds": [(kind.value, f"{kind.value}s") for kind in Kind],
        "integrations": Integration.objects.order_by("name").values_list("id", "name")[:100],
        "may_act": request.user.has_perms(_CHANGE),
        "most": MOST,
    }
    return TemplateResponse(request, "console/dead_letters.html", context)


def _act(request: HttpRequest, site: Site) -> HttpResponse:
    if not request.user.has_perms(_CHANGE):
        raise PermissionDenied
    verb, refs, everything = _order(request.POST)
    selection = _selection(request.POST)
    back = _address(selection)
    if verb not in _VERBS:
        messages.error(request, "Choose what to do: replay or discard.")
        return redirect(back)
    if everything and not refs:
        refs = operations.select_refs(selection, most=MOST)
    if not refs:
        messages.error(request, "Choose at least one dead letter.")
        return redirect(back)
    if "confirmed" not in request.POST and (verb == "discard" or everything or len(refs) > 1):
        return _confirm(request, site, verb, refs, selection)
    if verb == "replay":
        done = operations.replay(refs, actor_of(request))
        messages.success(request, f"{_letters(done)} tried again.")
    else:
        done = operations.discard(refs, actor_of(request))
        messages.success(request, f"{_letters(done)} discarded.")
    return redirect(back)


def _confirm(
    request: HttpRequest, site: Site, verb: str, refs: Sequence[Ref], selection: Selection
) -> HttpResponse:
    label, look = _VERBS[verb]
    words = {
        "replay": "They are tried again from the start, the oldest first.",
        "discard": "They stay on record and are never tried again.",
    }
    number = "1 dead letter" if len(refs) == 1 else f"{len(refs)} dead letters"
    question = Question(
        title=label,
        subject=number,
        words=words[verb] + f" {label} {number}?",
        label=f"{label} {number}",
        look=look,
        post_to=reverse("admin:dead_letters"),
        back=_address(selection),
        fields=[
            ("verb", verb),
            *(("letter", str(ref)) for ref in refs),
            *_filters(selection),
        ],
    )
    return ask(request, site, question)


def _order(posted: QueryDict) -> tuple[str, list[Ref], bool]:
    """Read what is to be done to which; a row's own button names both in one value."""
    verb, _, own = posted.get("verb", "").partition(" ")
    if verb.endswith("-all"):
        return verb.removesuffix("-all"), [], True
    texts = [own] if own else posted.getlist("letter")[:MOST]
    refs = []
    for text in texts:
        try:
            refs.append(Ref.parse(text))
        except ValueError:
            continue
    return verb, refs, False


def _selection(query: QueryDict) -> Selection:
    kind = query.get("kind", "")
    return Selection(
        error_code=query.get("code", "")[:64],
        kind=Kind(kind) if kind in set(Kind) else None,
        integration_id=number_of(query.get("integration", "")),
        before=number_of(query.get("before", "")),
    )


def _filters(selection: Selection) -> list[tuple[str, str]]:
    """Give the filters of a selection as the fields of a form."""
    found = (
        ("code", selection.error_code),
        ("kind", selection.kind.value if selection.kind else ""),
        ("integration", str(selection.integration_id or "")),
    )
    return [(name, value) for name, value in found if value]


def _address(selection: Selection) -> str:
    return pieces.with_query(reverse("admin:dead_letters"), dict(_filters(selection)))


def _next_page(query: QueryDict, shown: Sequence[DeadLetter]) -> str:
    values: Mapping[str, str] = {name: query.get(name, "") for name in query}
    return pieces.with_query("", {**values, "before": str(shown[-1].ref.id)})


def _lines(letters: Sequence[DeadLetter]) -> list[_Line]:
    keys = {letter.integration_id for letter in letters if letter.integration_id is not None}
    names = dict(Integration.objects.filter(id__in=keys).values_list("id", "name"))
    pages = {Kind.EVENT: "inboxevent", Kind.ITEM: "outboxitem"}
    return [
        _Line(
            letter=letter,
            page=pieces.row_url(pages[letter.ref.kind], letter.ref.id),
            source=pieces.badge(letter.source, "info"),
            integration=names.get(letter.integration_id or 0, ""),
            at=ago(letter.at),
            why=explain(letter.error_code or "unexpected"),
            trace=payloads.readable_text(letter.error),
        )
        for letter in letters
    ]


def _letters(number: int) -> str:
    return "1 dead letter is" if number == 1 else f"{number} dead letters are"
