"""Forms that hand what is typed to use cases, and show why one refused it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model

from velvetrope.domain.validation import Invalid
from velvetrope.web.console.base import ConsoleAdmin
from velvetrope.web.console.vendor import ModelForm, PasswordInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

M = TypeVar("M", bound=Model)
T = TypeVar("T")

SECRET_ATTRIBUTES: Final = {
    "autocomplete": "new-password",
    "autocapitalize": "off",
    "spellcheck": "false",
    # Managers of passwords offer to keep whatever looks like one; these are no person's.
    "data-1p-ignore": "",
    "data-lpignore": "true",
}

#: Why the use case refused what the form was content with; set while the form is shown again.
_refusal: ContextVar[Invalid | None] = ContextVar("refusal", default=None)


class SecretField(forms.CharField):
    """A secret to be typed in: never rendered, not even after a mistake; blank keeps the old."""

    def __init__(self, *, stored: str, **options: Any) -> None:
        widget = PasswordInput(attrs={**SECRET_ATTRIBUTES, "placeholder": stored})
        super().__init__(required=False, strip=True, widget=widget, **options)


def judged(judge: Callable[[], T]) -> T:
    """Run a rule of domain/validation.py and put its remedy where the form shows mistakes."""
    try:
        return judge()
    except Invalid as invalid:
        raise ValidationError(words(invalid), code=invalid.code) from None


def words(invalid: Invalid) -> str:
    given = f" (given: {invalid.value_shown})" if invalid.value_shown else ""
    return f"{invalid.remedy}{given}"


class JudgedForm(ModelForm[M]):
    """Shows the refusal of a use case at the field that it is about."""

    #: Where a use case's name of a field differs from the form's.
    refusal_fields: ClassVar[Mapping[str, str]] = {}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if (refusal := _refusal.get()) is not None:
            name = self.refusal_fields.get(refusal.field, refusal.field)
            self.add_error(name if name in self.fields else None, words(refusal))
        return cleaned


class UseCaseAdmin(ConsoleAdmin[M]):
    """Pages with a form, whose `save_model` calls a use case that may raise `Invalid`."""

    def surroundings(self, request: HttpRequest, row: M) -> dict[str, object]:
        """Give what the page shows around the form of a stored row."""
        return {}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        if object_id is not None and (row := self.get_object(request, object_id)) is not None:
            context |= self.surroundings(request, row)
        try:
            return self._answer(request, object_id, form_url, dict(context))
        except Invalid as refusal:
            token = _refusal.set(refusal)
            try:
                return self._answer(request, object_id, form_url, dict(context))
            finally:
                _refusal.reset(token)

    def _answer(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse:
        response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return response
