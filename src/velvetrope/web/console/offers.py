"""The pages of what an integration opens and sells: chats, plans, texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from velvetrope.store.models import Chat, Plan
from velvetrope.usecases import operations
from velvetrope.usecases.wording.problems import explain
from velvetrope.web.console import from_before, moments, pieces
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.base import PageAction, RecordAdmin
from velvetrope.web.console.filters import IntegrationFilter
from velvetrope.web.console.forms import JudgedForm, UseCaseAdmin
from velvetrope.web.console.integrations import plan_state, problem_badge
from velvetrope.web.console.pieces import Fact, Record, Table
from velvetrope.web.console.prices import price_of
from velvetrope.web.console.vendor import CheckboxInput, CheckboxList, NumberInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.forms import ModelForm
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


REPLACE_QUESTION = (
    "The other chat takes the place of this one in all plans, and everybody who holds a right to "
    "it is written to and shown the way in. Replace the chat?"
)


class ChatAdmin(RecordAdmin[Chat]):
    audit_subject = "chat"
    list_display = ("name", "telegram_id", "kind", "integration", "state", "verified")
    list_filter = (IntegrationFilter, "kind")
    list_select_related = ("integration",)
    search_fields = ("=telegram_id", "title")
    search_help_text = "Id or title of the chat"
    ordering = ("-id",)

    @admin.display(description="chat")
    def name(self, row: Chat) -> str:
        return str(row)

    @admin.display(description="state")
    def state(self, row: Chat) -> SafeString:
        return problem_badge(row.problem, fine=row.verified_at is not None)

    @admin.display(description="verified", ordering="verified_at")
    def verified(self, row: Chat) -> SafeString:
        return moments.ago(row.verified_at)

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[Chat]]:
        return (PageAction("replace", "Replace", _replace, REPLACE_QUESTION, has_form=True),)

    def rows_for_page(self, rows: QuerySet[Chat]) -> QuerySet[Chat]:
        return rows.select_related("integration")

    def record(self, request: HttpRequest, row: Chat) -> Record:
        return Record(
            title=str(row),
            badges=[problem_badge(row.problem, fine=row.verified_at is not None)],
            problems=[explain(row.problem)] if row.problem else [],
            facts=[
                Fact("Integration", pieces.row_link(row.integration)),
                Fact("Id", pieces.code(row.telegram_id)),
                Fact("Kind", row.get_kind_display()),
                Fact("Verified", moments.when(row.verified_at)),
                Fact("Join-request link", pieces.code(row.invite_link)),
                Fact("Link made", moments.when(row.invite_link_at)),
                Fact("Members", from_before.members_of(row)),
                Fact("Access", pieces.link(pieces.list_url("access", chat=row.pk), "list")),
            ],
            panels=[("console/replace_chat.html", {"url": self.action_url(row, "replace")})]
            if self.may_act(request)
            else [],
            tables=[
                Table(
                    "Plans that open it",
                    ("Plan", "Price", "State"),
                    [
                        (pieces.row_link(plan), price_of(plan), plan_state(plan))
                        for plan in row.plans.all()
                    ],
                    empty="No plan opens this chat.",
                )
            ],
        )


def _replace(request: HttpRequest, row: Chat) -> str:
    operations.replace_chat(row.pk, request.POST.get("new_id", ""), actor_of(request))
    return "The new chat is being verified, and whoever holds a right to it is shown the way in."


class PlanForm(JudgedForm[Plan]):
    refusal_fields = {"chats": "opens"}

    opens = forms.ModelMultipleChoiceField(
        queryset=Chat.objects.none(),
        widget=CheckboxList(),
        label="Opens",
        help_text="Whoever holds the plan is let into these.",
    )

    class Meta:
        model = Plan
        fields = ("on_sale", "position", "allow_promotion_codes", "trial_days", "duration_days")
        widgets = {
            "on_sale": CheckboxInput(),
            "position": NumberInput(),
            "allow_promotion_codes": CheckboxInput(),
            "trial_days": NumberInput(),
            "duration_days": NumberInput(),
        }
        labels = {
            "allow_promotion_codes": "Promotion codes",
            "trial_days": "Trial (days)",
            "duration_days": "Duration (days)",
        }
        help_texts = {
            "on_sale": "Off: nobody new can buy it; whoever holds it stays.",
            "position": "Smaller ones are shown first.",
            "allow_promotion_codes": "Show the field for promotion codes in Checkout.",
            "trial_days": "Days before the first payment of a subscription; empty: none.",
            "duration_days": "For a price that is paid once: how long it opens the chats; empty: "
            "for ever. Holds for new payments.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chats = self.fields.get("opens")
        if isinstance(chats, forms.ModelMultipleChoiceField) and self.instance.pk:
            chats.queryset = Chat.objects.filter(integration_id=self.instance.integration_id)
            self.initial["opens"] = self.instance.chats.all()


class PlanAdmin(UseCaseAdmin[Plan]):
    form = PlanForm
    audit_subject = "plan"
    list_display = (
        "name",
        "price",
        "integration",
        "state",
        "position",
        "stripe_price_id",
        "synced",
    )
    list_filter = (IntegrationFilter, "on_sale", "sellable")
    list_select_related = ("integration",)
    search_fields = ("=stripe_price_id", "product_name")
    search_help_text = "Price id or name of the product"
    ordering = ("integration_id", "position", "id")
    change_form_outer_before_template = "console/around_form.html"
    fieldsets = (
        (None, {"fields": ("on_sale", "position", "opens")}),
        ("Terms", {"fields": ("allow_promotion_codes", "trial_days", "duration_days")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="plan")
    def name(self, row: Plan) -> str:
        return str(row)

    @admin.display(description="price")
    def price(self, row: Plan) -> str:
        return price_of(row)

    @admin.display(description="state")
    def state(self, row: Plan) -> SafeString:
        return plan_state(row)

    @admin.display(description="synced", ordering="synced_at")
    def synced(self, row: Plan) -> SafeString:
        return moments.ago(row.synced_at)

    def surroundings(self, request: HttpRequest, row: Plan) -> dict[str, object]:
        return {
            "title": str(row),
            "subtitle": None,
            "badges": [plan_state(row)],
            "problems": [explain(row.problem)] if row.problem else [],
            "facts": [
                Fact("Integration", pieces.row_link(row.integration)),
                Fact("Price", price_of(row)),
                Fact("Price id", pieces.code(row.stripe_price_id)),
                Fact("Product", row.product_name or "–"),
                Fact("Product id", pieces.code(row.product_id)),
                Fact("Stripe says", "can be sold" if row.sellable else "cannot be sold"),
                Fact("Synced", moments.when(row.synced_at)),
                Fact("Holders", pieces.link(pieces.list_url("entitlement", plan=row.pk), "list")),
            ],
        }

    def save_model(
        self, request: HttpRequest, obj: Plan, form: ModelForm[Plan], change: bool
    ) -> None:  # fmt: skip
        data = form.cleaned_data
        choices = operations.PlanChoices(
            position=data["position"],
            on_sale=data["on_sale"],
            allow_promotion_codes=data["allow_promotion_codes"],
            trial_days=data["trial_days"],
            duration_days=data["duration_days"],
            chat_ids=[chat.pk for chat in data["opens"]],
        )
        operations.change_plan(obj.pk, choices, actor_of(request))
