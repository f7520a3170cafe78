"""The pages of an integration's own wordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from velvetrope.domain.validation import LANGUAGES
from velvetrope.store.models import TextOverride
from velvetrope.usecases.operations import texts as operations
from velvetrope.usecases.wording.texts import REFERENCE, catalogue, check_override, placeholders
from velvetrope.web.console import pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.base import PageAction
from velvetrope.web.console.filters import IntegrationFilter
from velvetrope.web.console.forms import JudgedForm, UseCaseAdmin, judged
from velvetrope.web.console.pieces import Block, Fact
from velvetrope.web.console.vendor import Select, Textarea

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.forms import ModelForm


class TextForm(JudgedForm[TextOverride]):
    """One wording; its placeholders are checked against the product's own text."""

    key = forms.ChoiceField(
        label="Which text",
        widget=Select(),
        help_text="Each plural form of a text is an entry of its own.",
    )

    class Meta:
        model = TextOverride
        fields = ("integration", "language", "key", "text")
        widgets = {
            "integration": Select(),
            "language": Select(),
            "text": Textarea(attrs={"rows": 6}),
        }
        labels = {"text": "Your wording"}
        help_texts = {
            "text": "Telegram's HTML: &lt;b&gt;, &lt;i&gt;, &lt;a href&gt; … Words in braces are "
            "filled in by the product and have to stay.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(key := self.fields.get("key"), forms.ChoiceField):
            key.choices = _choices()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        row = self.instance
        language = cleaned.get("language") or row.language
        key = cleaned.get("key") or row.key
        if "text" in cleaned and language and key:
            try:
                cleaned["text"] = judged(lambda: check_override(language, key, cleaned["text"]))
            except forms.ValidationError as mistake:
                self.add_error("text", mistake)
        return cleaned


class TextAdmin(UseCaseAdmin[TextOverride]):
    nothing_yet = "No wording of your own yet: customers read the product's texts."
    form = TextForm
    list_display = ("key", "language", "integration", "start")
    list_filter = (IntegrationFilter, "language")
    list_select_related = ("integration",)
    search_fields = ("key", "text")
    ordering = ("integration_id", "key", "language")
    change_form_outer_before_template = "console/around_form.html"
    change_form_outer_after_template = "console/blocks.html"

    @admin.display(description="text")
    def start(self, row: TextOverride) -> str:
        return pieces.shortened(row.text, 80)

    def get_readonly_fields(
        self, request: HttpRequest, obj: TextOverride | None = None
    ) -> tuple[str, ...]:  # fmt: skip
        """Which text it is stays as it is: other words for another text are another entry."""
        return () if obj is None else ("integration", "language", "key")

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[TextOverride]]:
        question = "Customers read the product's own words again. Remove this wording?"
        return (PageAction("remove", "Remove", _remove, question, "danger"),)

    def surroundings(self, request: HttpRequest, row: TextOverride) -> dict[str, object]:
        own = catalogue(row.language).texts.get(row.key)
        names = ", ".join(f"{{{name}}}" for name in sorted(placeholders(own or "")))
        return {
            "title": f"{row.key} ({row.get_language_display()})",
            "subtitle": None,
            "badges": [] if own else [pieces.badge("no text has this name any more", "warn")],
            "actions": self.buttons(request, row),
            "facts": [
                Fact("Integration", pieces.row_link(row.integration)),
                Fact("Placeholders", pieces.code(names or "none")),
            ],
            "blocks": [Block("The product's own words", own)] if own else [],
        }

    def save_model(
        self, request: HttpRequest, obj: TextOverride, form: ModelForm[TextOverride], change: bool
    ) -> None:  # fmt: skip
        obj.pk = operations.save_text(
            obj.integration_id, obj.language, obj.key, form.cleaned_data["text"], actor_of(request)
        )

    def action_view(self, request: HttpRequest, object_id: str, action_name: str) -> HttpResponse:
        """After a removal there is no page to go back to."""
        response = super().action_view(request, object_id, action_name)
        gone = not TextOverride.objects.filter(pk=object_id).exists()
        if gone and isinstance(response, HttpResponseRedirect):
            return redirect("admin:store_textoverride_changelist")
        return response


def _remove(request: HttpRequest, row: TextOverride) -> str:
    operations.remove_text(row.pk, actor_of(request))
    return "Removed: the product's own words are used again."


def _choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Offer the texts by family, each with how it begins in the reference language."""
    reference = catalogue(REFERENCE).texts
    keys = sorted(set().union(*(catalogue(code).keys for code in LANGUAGES)))
    families: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        start = reference.get(key, "").replace("\n", " ")[:60]
        families.setdefault(key.partition(".")[0], []).append((key, f"{key} — {start}"))
    return list(families.items())
