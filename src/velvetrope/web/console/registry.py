"""Which page shows what: the console's site, put together in one place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.urls import URLPattern, path

from velvetrope.store import models
from velvetrope.web.console import dashboard, from_before, from_before_page, messages
from velvetrope.web.console.alerts import AlertAdmin
from velvetrope.web.console.audit_log import AuditAdmin
from velvetrope.web.console.customers import CustomerAdmin
from velvetrope.web.console.dry_run import dry_run
from velvetrope.web.console.integrations import IntegrationAdmin
from velvetrope.web.console.letters import dead_letters
from velvetrope.web.console.offers import ChatAdmin, PlanAdmin
from velvetrope.web.console.removals import removals
from velvetrope.web.console.rights import AccessAdmin, CheckoutAdmin, EntitlementAdmin
from velvetrope.web.console.signin import SignInForm, Tries
from velvetrope.web.console.stripe_accounts import StripeAccountAdmin
from velvetrope.web.console.texts import TextAdmin
from velvetrope.web.console.vendor import Site
from velvetrope.web.console.work import EventAdmin, ItemAdmin, LaneAdmin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse
    from django.template.response import TemplateResponse


class ConsoleSite(Site):
    """The admin site at /admin/."""

    index_template = "console/dashboard.html"
    login_template = "console/login.html"
    site_url = None
    enable_nav_sidebar = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        # Called like the class that Django expects, once per request.
        self.login_form = cast("type[SignInForm]", partial(SignInForm, Tries()))

    def get_urls(self) -> list[Any]:
        own: Sequence[URLPattern] = [
            path("dead-letters/", self.admin_view(self.dead_letters), name="dead_letters"),
            path("removals/", self.admin_view(self.removals), name="removals"),
            path("messages/<int:integration_id>/", self.admin_view(self.messages), name="messages"),
            path("from-before/", self.admin_view(self.from_before), name="from_before"),
            path(
                "from-before/<int:integration_id>/",
                self.admin_view(self.from_before_of),
                name="from_before_of",
            ),
            path("dry-run/<int:integration_id>/", self.admin_view(self.dry_run), name="dry_run"),
        ]
        return [*own, *super().get_urls()]

    def dead_letters(self, request: HttpRequest) -> HttpResponse:
        return dead_letters(request, self)

    def dry_run(self, request: HttpRequest, integration_id: int) -> HttpResponse:
        return dry_run(request, self, integration_id)

    def removals(self, request: HttpRequest) -> HttpResponse:
        return removals(request, self)

    def messages(self, request: HttpRequest, integration_id: int) -> HttpResponse:
        return messages.show(request, self, integration_id)

    def from_before(self, request: HttpRequest) -> HttpResponse:
        return from_before.choose(request, self)

    def from_before_of(self, request: HttpRequest, integration_id: int) -> HttpResponse:
        return from_before_page.show(request, self, integration_id)

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        context = dashboard.fill(request, dict(extra_context or {}))
        return super().index(request, context)


def build_site() -> ConsoleSite:
    """Give a site with every page registered."""
    site = ConsoleSite(name="admin")
    site.register(models.Integration, IntegrationAdmin)
    site.register(models.Chat, ChatAdmin)
    site.register(models.Plan, PlanAdmin)
    site.register(models.TextOverride, TextAdmin)
    site.register(models.StripeAccount, StripeAccountAdmin)
    site.register(models.Customer, CustomerAdmin)
    site.register(models.Entitlement, EntitlementAdmin)
    site.register(models.Access, AccessAdmin)
    site.register(models.Checkout, CheckoutAdmin)
    site.register(models.InboxEvent, EventAdmin)
    site.register(models.OutboxItem, ItemAdmin)
    site.register(models.Lane, LaneAdmin)
    site.register(models.Alert, AlertAdmin)
    site.register(models.AuditEntry, AuditAdmin)
    return site
