"""The page «Messages» of one integration: what is sent, when, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from velvetrope.domain.messages import (
    NUMBERS,
    RULES,
    MessageKind,
    MessageSettings,
    Timing,
    days_setting,
)
from velvetrope.domain.validation import LANGUAGES, Invalid
from velvetrope.store.catalogue import load_views
from velvetrope.store.models import Integration
from velvetrope.usecases import operations
from velvetrope.usecases.wording.outgoing import visible
from velvetrope.usecases.wording.samples import sample
from velvetrope.usecases.wording.texts import LANGUAGE_NAMES
from velvetrope.usecases.wording.words import Words
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.actors import actor_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.http import HttpRequest, HttpResponse

    from velvetrope.web.console.vendor import Site

VIEW: Final = "store.view_integration"
CHANGE: Final = "store.change_integration"


@dataclass(frozen=True, slots=True)
class _Line:
    """One kind as the page shows it; `days` is what is typed, None where there are none."""

    name: str
    title: str
    when: str
    is_civil: bool
    is_on: bool
    days_name: str
    days: str | None
    #: What a customer reads, and the words on the buttons.
    text: str
    buttons: list[str]


@dataclass(frozen=True, slots=True)
class _Number:
    name: str
    meaning: str
    value: str
    least: int
    most: int


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, site: Site, integration_id: int) -> HttpResponse:
    """Show with GET, save with POST."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    row = Integration.objects.filter(pk=integration_id).first()
    if row is None:
        raise Http404
    settings = MessageSettings.from_differences(row.reminders)
    typed: Mapping[str, str] = {}
    if request.method == "POST":
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        typed = _typed(request, settings)
        try:
            _save(request, row, typed)
        except Invalid as refusal:
            messages.error(request, f"{_label(refusal.field)}: {refusal.remedy}")
        else:
            return redirect(page_of(integration_id))
    language = request.GET.get("language", "")
    if language not in LANGUAGES:
        language = row.language
    context = {
        **site.each_context(request),
        "title": "Messages",
        "integration": row,
        "integration_url": pieces.row_url("integration", row.pk),
        "texts_url": pieces.list_url("textoverride", integration=row.pk),
        "languages": [(code, LANGUAGE_NAMES[code], code == language) for code in LANGUAGES],
        "lines": list(_lines(row, settings, language, typed)),
        "numbers": list(_numbers(settings, typed)),
        "may_act": request.user.has_perm(CHANGE),
    }
    return TemplateResponse(request, "console/messages.html", context)


def page_of(integration_id: int) -> str:
    return reverse("admin:messages", args=[integration_id])


def _label(name: str) -> str:
    """Give the words that stand at a field of the form."""
    if name in NUMBERS:
        return NUMBERS[name].meaning
    return next((rule.title for kind, rule in RULES.items() if days_setting(kind) == name), name)


def _typed(request: HttpRequest, settings: MessageSettings) -> dict[str, str]:
    """Give what the form says; a browser sends no box that is not ticked."""
    on = set(request.POST.getlist("on"))
    typed = {kind.value: "on" if kind.value in on else "" for kind in MessageKind}
    names = [*(days_setting(kind) for kind in RULES if RULES[kind].days), *NUMBERS]
    stored = {days_setting(kind): _days_of(settings, kind) or "" for kind in RULES}
    for name in names:
        usual = stored[name] if name in stored else str(getattr(settings, name))
        typed[name] = request.POST.get(name, usual)
    return typed


def _save(request: HttpRequest, row: Integration, typed: Mapping[str, str]) -> None:
    changes: dict[str, object] = {
        name: value == "on" if name in {*MessageKind} else value for name, value in typed.items()
    }
    if operations.change_messages(row.pk, changes, actor_of(request)):
        messages.success(request, "Saved. What is planned is planned anew for all customers.")
    else:
        messages.info(request, "Nothing was different.")


def _lines(
    row: Integration, settings: MessageSettings, language: str, typed: Mapping[str, str]
) -> Iterator[_Line]:
    words = Words(load_views([row.pk])[row.pk], language, moments.now())
    for kind, rule in RULES.items():
        example = sample(words, kind)
        name = days_setting(kind)
        yield _Line(
            name=kind.value,
            title=rule.title,
            when=rule.when,
            is_civil=rule.timing is Timing.CIVIL,
            is_on=typed[kind.value] == "on" if typed else settings.is_on(kind),
            days_name=name,
            days=typed.get(name, _days_of(settings, kind)) if rule.days else None,
            text=visible(example.text),
            buttons=[button.text for buttons in example.keyboard for button in buttons],
        )


def _days_of(settings: MessageSettings, kind: MessageKind) -> str:
    return ", ".join(str(day) for day in settings.days.get(kind, RULES[kind].days))


def _numbers(settings: MessageSettings, typed: Mapping[str, str]) -> Iterator[_Number]:
    for name, rule in NUMBERS.items():
        value = typed.get(name, str(getattr(settings, name)))
        yield _Number(name, rule.meaning, value, rule.least, rule.most)
