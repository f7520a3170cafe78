"""The pages of Stripe accounts; keys and signing secrets can be put in, never seen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin

from velvetrope.domain import validation
from velvetrope.store.clock import present
from velvetrope.store.models import Customer, StripeAccount
from velvetrope.usecases import operations
from velvetrope.usecases.operations.stripe_accounts import signing_secrets
from velvetrope.usecases.wording.problems import explain
from velvetrope.web.console import moments, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.base import PageAction
from velvetrope.web.console.forms import JudgedForm, SecretField, UseCaseAdmin, judged
from velvetrope.web.console.pieces import Fact
from velvetrope.web.console.vendor import TextInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.forms import ModelForm
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

#: How far back a button has events fetched.
FETCHED = timedelta(days=7)
QUESTION = (
    "For a database that was lost: all customers, subscriptions and payments that Stripe knows of "
    "this account's bots are brought back, then Telegram is asked where everybody is. Nobody hears "
    "of it. Rebuild?"
)
STORED = "stored, never shown; leave empty to keep it"


class StripeAccountForm(JudgedForm[StripeAccount]):
    refusal_fields = {"api_key": "new_api_key", "webhook_secrets": "new_webhook_secrets"}

    new_api_key = SecretField(
        stored=STORED,
        label="API key",
        help_text="A secret or restricted key (sk_… or rk_…) from Stripe, Developers, API keys.",
    )
    new_webhook_secrets = SecretField(
        stored=STORED,
        label="Signing secrets",
        help_text="Of the webhook endpoint (whsec_…). While a secret is rolled, give both with a "
        "space between them. New ones replace all that are stored.",
    )

    class Meta:
        model = StripeAccount
        fields = ("name",)
        widgets = {"name": TextInput()}
        help_texts = {"name": "For operators, such as «Studio, live»."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:  # noqa: SLF001  Django's documented name
            for name in ("new_api_key", "new_webhook_secrets"):
                if name in self.fields:
                    self.fields[name].required = True
                    self.fields[name].widget.attrs.pop("placeholder")

    def clean_name(self) -> str:
        return judged(lambda: validation.name(self.cleaned_data["name"], longest=64))

    def clean_new_api_key(self) -> str:
        value = str(self.cleaned_data["new_api_key"])
        return judged(lambda: validation.stripe_api_key(value)) if value else ""

    def clean_new_webhook_secrets(self) -> str:
        value = str(self.cleaned_data["new_webhook_secrets"])
        return judged(lambda: signing_secrets(value)) if value else ""


class StripeAccountAdmin(UseCaseAdmin[StripeAccount]):
    form = StripeAccountForm
    audit_subject = "stripe_account"
    list_display = ("name", "stripe_id", "mode", "origin", "state")
    list_filter = ("livemode",)
    search_fields = ("name", "=stripe_id")
    ordering = ("-from_environment", "name")
    change_form_outer_before_template = "console/around_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[StripeAccount]:
        return super().get_queryset(request).defer("api_key", "webhook_secrets")

    def get_fields(
        self, request: HttpRequest, obj: StripeAccount | None = None
    ) -> tuple[str, ...]:  # fmt: skip
        if obj is not None and obj.from_environment:
            return ("name",)
        return ("name", "new_api_key", "new_webhook_secrets")

    @admin.display(description="mode")
    def mode(self, row: StripeAccount) -> SafeString:
        return _mode(row)

    @admin.display(description="key from")
    def origin(self, row: StripeAccount) -> str:
        return "the environment" if row.from_environment else "this console"

    @admin.display(description="state")
    def state(self, row: StripeAccount) -> SafeString:
        if row.problem:
            return pieces.badge(explain(row.problem).what.rstrip("."), "bad plain")
        return pieces.badge("fine", "good")

    def surroundings(self, request: HttpRequest, row: StripeAccount) -> dict[str, object]:
        origin = "VELVETROPE_STRIPE_API_KEY" if row.from_environment else "this console"
        integrations = [pieces.row_link(one) for one in row.integration_set.order_by("name")[:20]]
        return {
            "title": row.name,
            "subtitle": None,
            "badges": [_mode(row)],
            "problems": [explain(row.problem)] if row.problem else [],
            "facts": [
                Fact("Account", pieces.code(row.stripe_id)),
                Fact("Key from", origin),
                Fact("Added", moments.when(row.created_at)),
                Fact("Last event that came", moments.when(row.heard_at)),
                Fact("Events fetched until", moments.when(row.events_until)),
                Fact("Integrations", pieces.lines(integrations)),
            ],
            "actions": self.buttons(request, row),
        }

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[StripeAccount]]:
        return (
            PageAction("backfill", "Fetch missed events", _backfill, shown=_is_used),
            PageAction("rebuild", "Rebuild from Stripe", _rebuild, QUESTION, shown=_is_lost),
        )

    def save_model(
        self, request: HttpRequest, obj: StripeAccount, form: ModelForm[StripeAccount], change: bool
    ) -> None:  # fmt: skip
        data = form.cleaned_data
        name, actor = data["name"], actor_of(request)
        api_key, secrets = data.get("new_api_key", ""), data.get("new_webhook_secrets", "")
        if change:
            operations.change_stripe_account(
                obj.pk, name=name, api_key=api_key, webhook_secrets=secrets, actor=actor
            )
        else:
            obj.pk = operations.add_stripe_account(name, api_key, secrets, actor)


def _is_used(row: StripeAccount) -> bool:
    return row.integration_set.exists()


def _is_lost(row: StripeAccount) -> bool:
    """Tell whether bots sell from the account and nobody is known who bought."""
    used = row.integration_set.filter(active=True).exists()
    return used and not Customer.objects.filter(integration__stripe_account=row).exists()


def _backfill(request: HttpRequest, row: StripeAccount) -> str:
    try:
        operations.backfill(row.pk, present() - FETCHED, actor_of(request))
    except operations.NothingToReconcileError as error:
        return str(error)
    return f"The events of the last {FETCHED.days} days are being gone through."


def _rebuild(request: HttpRequest, row: StripeAccount) -> str:
    ids = list(row.integration_set.values_list("id", flat=True))
    try:
        operations.rebuild(ids, actor_of(request))
    except operations.NothingToReconcileError as error:
        return str(error)
    return "Customers, rights and places are being rebuilt. What was found stands in the audit log."


def _mode(row: StripeAccount) -> SafeString:
    if row.livemode is None:
        return pieces.badge("mode unknown", "off")
    return pieces.badge("live", "good") if row.livemode else pieces.badge("test", "info")
