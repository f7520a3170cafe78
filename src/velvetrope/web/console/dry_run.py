"""The page of dry runs: who would enter, leave or be written to, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from velvetrope.store.models import Customer, Integration
from velvetrope.usecases import operations
from velvetrope.usecases.explaining.terms import Terms, actor
from velvetrope.usecases.rehearsing import words
from velvetrope.usecases.rehearsing.rehearsal import Change, Effect
from velvetrope.usecases.wording.problems import explain
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.pieces import Table
from velvetrope.web.console.rights import who

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from velvetrope.store.models import DryRun
    from velvetrope.web.console.vendor import Site

_VIEW: Final = "store.view_access"
_CHANGE: Final = "store.change_access"
#: Changes of one kind that the page shows.
SHOWN: Final = 200
_TITLES: Final[Mapping[Effect, str]] = {
    Effect.LEAVE: "Would leave",
    Effect.WAIT: "To leave, waiting for your word",
    Effect.STAY: "Would have to leave, but can't be taken out",
    Effect.ENTER: "Would be let in",
    Effect.DECLINE: "Would be turned away",
    Effect.MESSAGE: "Would be written to",
}


@require_http_methods(["GET", "HEAD", "POST"])
def dry_run(request: HttpRequest, site: Site, integration_id: int) -> HttpResponse:
    """Show the newest one with GET; have another one done with POST."""
    if not request.user.has_perm(_VIEW):
        raise PermissionDenied
    integration = (
        Integration.objects.defer("token", "webhook_secret").filter(id=integration_id).first()
    )
    if integration is None:
        raise Http404
    if request.method == "POST":
        if not request.user.has_perm(_CHANGE):
            raise PermissionDenied
        operations.request_dry_run(integration.pk, actor_of(request))
        messages.success(request, "Everybody is being looked at: reload in a moment.")
        return redirect(address(integration.pk))
    run = operations.find_dry_run(integration.pk)
    context = {
        **site.each_context(request),
        "title": "Dry run",
        "integration": integration,
        "page": pieces.row_link(integration),
        "may_act": request.user.has_perm(_CHANGE),
        **({} if run is None else _shown(run, integration)),
    }
    return TemplateResponse(request, "console/dry_run.html", context)


def address(integration_id: int) -> str:
    return reverse("admin:dry_run", args=[integration_id])


def _shown(run: DryRun, integration: Integration) -> dict[str, object]:
    terms = Terms(integration, moments.now())
    changes = msgspec.convert(run.changes, list[Change])
    return {
        "run": run,
        "asked": moments.ago(run.asked_at),
        "asked_by": actor(run.asked_by),
        "problem": explain(run.error_code) if run.error_code else None,
        "exoduses": words.find_exoduses(run.counts, terms),
        "tables": [
            _table(effect, run.counts[effect.value], changes, terms)
            for effect in _TITLES
            if run.counts.get(effect.value)
        ],
    }


def _table(effect: Effect, number: int, changes: Sequence[Change], terms: Terms) -> Table:
    found = [one for one in changes if one.effect is effect][:SHOWN]
    people = Customer.objects.in_bulk([one.customer_id for one in found])
    rows = []
    for change in found:
        told = words.tell(change, terms)
        person = people.get(change.customer_id)
        name = "gone since" if person is None else pieces.row_link(person, who(person))
        rows.append((name, told.what, told.why))
    more = f", the first {len(found)} of them" if number > len(found) else ""
    title = f"{_TITLES[effect]}: {number:,}{more}"
    if effect is Effect.MESSAGE:  # the occasion is the reason
        return Table(title, ("Person", "What"), [row[:2] for row in rows])
    return Table(title, ("Person", "What", "Because"), rows)
