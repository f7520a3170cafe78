"""The pages of integrations: what is wrong and how to mend it first, then what can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.urls import path

from velvetrope.domain.states import Registration
from velvetrope.store.models import Chat, Integration, Plan
from velvetrope.usecases import onboarding, operations
from velvetrope.usecases.wording.problems import Explanation, explain, explain_all
from velvetrope.web.console import dry_run, from_before, hearing, messages, moments, pieces, policy
from velvetrope.web.console.actors import actor_of
from velvetrope.web.console.base import PageAction
from velvetrope.web.console.forms import UseCaseAdmin
from velvetrope.web.console.integration_forms import IntegrationForm
from velvetrope.web.console.pieces import Fact, Table
from velvetrope.web.console.prices import price_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import QuerySet
    from django.forms import ModelForm
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

#: The names of the form's fields that the use case takes as they are.
_PLAIN = ("name", "language", "time_zone", "terms_url", "privacy_url", "support_contact")

ROTATE_QUESTION = (
    "The new secret holds at once, and updates are refused until Telegram knows it, which takes "
    "seconds: Telegram delivers them again. Rotate the webhook secret?"
)
DISABLE_QUESTION = (
    "The bot stops answering: its updates are acknowledged, counted and not acted upon, and nobody "
    "is let in. Members stay where they are. Disable the integration?"
)


class IntegrationAdmin(UseCaseAdmin[Integration]):
    nothing_yet = "No bot is connected yet."
    form = IntegrationForm
    audit_subject = "integration"
    list_display = ("name", "bot", "state", "wrong", "language", "stripe_account", "verified")
    list_display_links = ("name",)
    list_filter = ("active", "registration", "language", "stripe_account")
    list_select_related = ("stripe_account",)
    search_fields = ("name", "bot_username", "bot_id")
    search_help_text = "Name, @username or id of the bot"
    ordering = ("name",)
    change_form_outer_before_template = "console/around_form.html"
    fieldsets = (
        ("Bot", {"fields": ("name", "new_token")}),
        ("What it sells", {"fields": ("stripe_account", "chats", "prices")}),
        (
            "What customers read",
            {
                "fields": (
                    "language",
                    "time_zone",
                    "terms_url",
                    "privacy_url",
                    "support_contact",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Integration]:
        return super().get_queryset(request).defer("token", "webhook_secret")

    @admin.display(description="bot", ordering="bot_username")
    def bot(self, row: Integration) -> str:
        return f"@{row.bot_username}" if row.bot_username else str(row.bot_id)

    @admin.display(description="state", ordering="registration")
    def state(self, row: Integration) -> SafeString:
        return state_of(row)

    @admin.display(description="to mend")
    def wrong(self, row: Integration) -> str | SafeString:
        found = explain_all(row.problems)
        if not found:
            return ""
        more = f" (+{len(found) - 1})" if len(found) > 1 else ""
        return pieces.badge(found[0].what.rstrip(".") + more, "bad plain")

    @admin.display(description="verified", ordering="verified_at")
    def verified(self, row: Integration) -> SafeString:
        return moments.ago(row.verified_at)

    def get_urls(self) -> list[URLPattern]:
        own = path(
            "<path:object_id>/policy/",
            self.admin_site.admin_view(self.policy_view),
            name="store_integration_policy",
        )
        return [own, *super().get_urls()]

    def policy_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return policy.policy_page(request, self.admin_site, self.row_or_404(request, object_id))

    def page_actions(self, request: HttpRequest) -> Sequence[PageAction[Integration]]:
        return (
            PageAction("verify", "Verify and register the webhook", _verify, look="primary"),
            PageAction("reconcile", "Reconcile now", _reconcile),
            PageAction("sync-plans", "Sync plans from Stripe", _sync_plans),
            PageAction("rotate-secret", "Rotate webhook secret", _rotate, ROTATE_QUESTION),
            PageAction("resume", "Send what waits for a fix", _resume),
            PageAction("hear", "Tell this id", hearing.hear, has_form=True),
            PageAction(
                "hear-nobody",
                "Tell nobody of alerts",
                hearing.hear_nobody,
                shown=lambda row: row.alerts_to is not None,
            ),
            PageAction(
                "disable", "Disable", _disable, DISABLE_QUESTION, "danger", lambda row: row.active
            ),
            PageAction(
                "enable", "Enable", _enable, look="primary", shown=lambda row: not row.active
            ),
        )

    def save_model(
        self, request: HttpRequest, obj: Integration, form: ModelForm[Integration], change: bool
    ) -> None:  # fmt: skip
        """Hand it to onboarding, which audits it and has it registered."""
        data = form.cleaned_data
        account = data["stripe_account"].pk
        if change:
            changes: dict[str, object] = {name: data[name] for name in _PLAIN}
            changes |= {"chats": data["chats"], "prices": data["prices"]}
            changes |= {"token": data["new_token"], "stripe_account_id": account}
            onboarding.update_integration(obj.pk, changes, actor_of(request))
            return
        new = onboarding.NewIntegration(
            token=data["new_token"],
            chats=data["chats"],
            prices=data["prices"],
            stripe_account_id=account,
            **{name: data[name] for name in _PLAIN},
        )
        obj.pk = onboarding.create_integration(new, actor_of(request)).pk

    def surroundings(self, request: HttpRequest, row: Integration) -> dict[str, object]:
        chats = list(row.chats.order_by("id"))
        plans = list(row.plans.prefetch_related("chats"))
        return {
            "subtitle": None,
            "title": row.name,
            "badges": [state_of(row)],
            "problems": problems_of(row, chats, plans),
            "facts": _facts(row),
            "hearing": hearing.panel(row, self.action_url(row, "hear"))
            if self.may_act(request)
            else None,
            "tables": [_chat_table(chats), _plan_table(plans)],
            "actions": self.buttons(request, row),
        }


def state_of(row: Integration) -> SafeString:
    if not row.active:
        return pieces.badge("disabled", "off")
    if row.problems and row.registration == Registration.REGISTERED:
        return pieces.badge("registered, with problems", "warn")
    return pieces.badge(row.registration)


def problems_of(
    row: Integration, chats: Sequence[Chat], plans: Sequence[Plan]
) -> list[Explanation]:
    """Put together what registration found and what was seen since, each problem once."""
    titles = {chat.telegram_id: str(chat) for chat in chats}
    found = list(row.problems) if isinstance(row.problems, list) else []
    found += [chat.problem for chat in chats if chat.problem]
    found += [plan.problem for plan in plans if plan.problem]
    if row.stripe_account.problem:
        found.append(row.stripe_account.problem)
    return list(dict.fromkeys(explain(one, titles) for one in found))


def _facts(row: Integration) -> list[Fact]:
    bot: str | SafeString = "not known yet"
    if row.bot_username:
        bot = pieces.link(f"https://t.me/{row.bot_username}", f"@{row.bot_username}")
    key = row.pk
    lists = (
        ("Customers", "list", pieces.list_url("customer", integration=key)),
        ("Outbox", "list", pieces.list_url("outboxitem", integration=key)),
        ("Messages", "what is sent, and when", messages.page_of(key)),
        ("Access policy", "what each fact about a payment means", policy.address_of(row)),
        ("Texts", "own wordings", pieces.list_url("textoverride", integration=key)),
        ("History", "audit log", pieces.list_url("auditentry", integration=key)),
    )
    return [
        Fact("Bot", bot),
        Fact("Bot id", pieces.code(row.bot_id)),
        Fact("Verified", moments.when(row.verified_at)),
        Fact("Reconciled", moments.when(row.reconciled_at)),
        Fact("Alerts", pieces.link(pieces.list_url("alert", integration=key), "list")),
        Fact("Dry run", pieces.link(dry_run.address(key), "who would enter or leave")),
        Fact("Hears of alerts", pieces.code(row.alerts_to) if row.alerts_to else "nobody"),
        Fact("Members from before", pieces.link(from_before.page_of(key), "link and lists")),
        Fact("Paused by Telegram until", moments.when(row.paused_until)),
        *(Fact(label, pieces.link(url, words)) for label, words, url in lists),
    ]


def _chat_table(chats: Sequence[Chat]) -> Table:
    return Table(
        "Chats",
        ("Chat", "Id", "Kind", "State", "Verified"),
        [
            (
                pieces.row_link(chat),
                pieces.code(chat.telegram_id),
                chat.get_kind_display(),
                problem_badge(chat.problem, fine=chat.verified_at is not None),
                moments.ago(chat.verified_at),
            )
            for chat in chats
        ],
    )


def _plan_table(plans: Sequence[Plan]) -> Table:
    return Table(
        "Plans",
        ("Plan", "Price", "Id", "State", "Opens", "Synced"),
        [
            (
                pieces.row_link(plan),
                price_of(plan),
                pieces.code(plan.stripe_price_id),
                plan_state(plan),
                pieces.lines(plan.chats.all()),
                moments.ago(plan.synced_at),
            )
            for plan in plans
        ],
    )


def plan_state(plan: Plan) -> SafeString:
    if not plan.on_sale:
        return pieces.badge("off sale", "off")
    if plan.sellable:
        return pieces.badge("on sale", "good")
    return problem_badge(plan.problem, fine=False)


def problem_badge(problem: object, *, fine: bool) -> SafeString:
    if problem:
        return pieces.badge(explain(problem).what.rstrip("."), "bad plain")
    return pieces.badge("fine", "good") if fine else pieces.badge("not verified yet", "info")


def _verify(request: HttpRequest, row: Integration) -> str:
    operations.verify(row.pk, actor_of(request))
    return "The bot, its rights and its prices are being verified. Reload in a moment."


def _reconcile(request: HttpRequest, row: Integration) -> str:
    try:
        operations.reconcile([row.pk], actor_of(request))
    except operations.NothingToReconcileError as error:
        return str(error)
    return (
        "Stripe and the chats are being gone through. What was found stands in the history; large "
        "chats take their time."
    )


def _sync_plans(request: HttpRequest, row: Integration) -> str:
    operations.sync_plans(row.pk, actor_of(request))
    return "The plans are being copied from Stripe. Reload in a moment."


def _rotate(request: HttpRequest, row: Integration) -> str:
    onboarding.rotate_webhook_secret(row.pk, actor_of(request))
    return "There is a new webhook secret, and Telegram is being told."


def _resume(request: HttpRequest, row: Integration) -> str:
    number = operations.resume_items(row.pk, actor_of(request))
    return f"{number} calls go out again." if number else "Nothing was waiting."


def _disable(request: HttpRequest, row: Integration) -> str:
    operations.set_active(row.pk, actor_of(request), active=False)
    return "The integration is disabled."


def _enable(request: HttpRequest, row: Integration) -> str:
    operations.set_active(row.pk, actor_of(request), active=True)
    return "The integration is enabled, and is being verified."
