"""The page of an integration's access policy: each value in words, and what a change would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from velvetrope.domain.policy import RULES
from velvetrope.domain.validation import Invalid
from velvetrope.usecases import operations
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.asking import Question, ask
from velvetrope.web.console.forms import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from velvetrope.domain.policy import Policy, Rule, Value
    from velvetrope.store.models import Integration
    from velvetrope.web.console.vendor import Site

_CHANGE = "store.change_integration"


@dataclass(frozen=True, slots=True)
class Line:
    """One value as the page shows it."""

    rule: Rule
    value: str
    #: Why it can't be stored; empty if it can.
    mistake: str = ""

    @property
    def default(self) -> str:
        return said(self.rule.default, self.rule)

    @property
    def differs(self) -> bool:
        return self.value != _typed(self.rule.default)


@require_http_methods(["GET", "HEAD", "POST"])
def policy_page(request: HttpRequest, site: Site, row: Integration) -> HttpResponse:
    """Show the values with GET; with POST ask about a change first, and store it then."""
    may_change = request.user.has_perm(_CHANGE)
    present = operations.policy_of(row)
    if request.method != "POST":
        lines = [Line(rule, _typed(present.values[rule.name])) for rule in RULES]
        return _page(request, site, row, lines, may_change=may_change)
    if not may_change:
        raise PermissionDenied
    typed = {rule.name: request.POST.get(rule.name, "").strip() for rule in RULES}
    lines = [_judged(rule, typed[rule.name]) for rule in RULES]
    if any(line.mistake for line in lines):
        return _page(request, site, row, lines, may_change=True)
    wanted = present.changed(typed)
    if wanted == present:
        messages.info(request, "Nothing was changed.")
    elif "confirmed" not in request.POST:
        return _confirm(request, site, row, present, wanted)
    else:
        operations.change_policy(row.pk, typed, (), actor_of(request))
        messages.success(request, "The policy is changed, and everybody is judged by it now.")
    return redirect(address_of(row))


def address_of(row: Integration) -> str:
    return reverse("admin:store_integration_policy", args=[row.pk])


def said(value: Value, rule: Rule) -> str:
    """Put a value into words: «yes», «7 days»."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value} {rule.unit.removesuffix('s') if value == 1 else rule.unit}"


def _typed(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _judged(rule: Rule, text: str) -> Line:
    try:
        return Line(rule, _typed(rule.judge(text)))
    except Invalid as mistake:
        return Line(rule, text[:20], words(mistake))


def _page(
    request: HttpRequest,
    site: Site,
    row: Integration,
    lines: Sequence[Line],
    *,
    may_change: bool,
) -> HttpResponse:
    context = {
        **site.each_context(request),
        "title": "Access policy",
        "subtitle": None,
        "integration": pieces.row_link(row),
        "lines": lines,
        "may_change": may_change,
        "history": pieces.list_url("auditentry", q=f"integration:{row.pk}"),
    }
    return TemplateResponse(request, "console/policy.html", context)


def _confirm(
    request: HttpRequest, site: Site, row: Integration, present: Policy, wanted: Policy
) -> HttpResponse:
    effect = operations.foresee(row.pk, wanted, moments.now())
    question = Question(
        title="Change the access policy",
        subject=str(row),
        words=_effect_in_words(effect),
        notes=_changes(present, wanted),
        label="Change it",
        look="danger" if effect.losing else "primary",
        post_to=request.path,
        back=request.path,
        fields=[(name, _typed(value)) for name, value in wanted.values.items()],
    )
    return ask(request, site, question)


def _changes(present: Policy, wanted: Policy) -> list[str]:
    before: Mapping[str, Value] = present.values
    after: Mapping[str, Value] = wanted.values
    return [
        f"{rule.label}: {said(before[rule.name], rule)} → {said(after[rule.name], rule)}"
        for rule in RULES
        if before[rule.name] != after[rule.name]
    ]


def _effect_in_words(effect: operations.Effect) -> str:
    if effect == operations.Effect():
        return "Nobody’s access changes by that now; it holds for what happens from now on."
    return (
        f"By what Stripe said last, {_members(effect.losing)} would lose access to a chat, and "
        f"{_members(effect.gaining)} would gain access. Stripe is asked again before anybody "
        "leaves."
    )


def _members(number: int) -> str:
    return "1 member" if number == 1 else f"{number or 'no'} members"
