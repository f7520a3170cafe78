"""The console's name, colours and menu, in Unfold's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.templatetags.static import static
from django.urls import reverse_lazy

if TYPE_CHECKING:
    from django.http import HttpRequest


def _logo(_request: HttpRequest) -> str:
    return static("console/logo.svg")


def _list(model: str) -> object:
    return reverse_lazy(f"admin:store_{model}_changelist")


def _item(title: str, icon: str, link: object, permission: str = "", **more: object) -> object:
    item: dict[str, object] = {"title": title, "icon": icon, "link": link, **more}
    if permission:
        item["permission"] = lambda request: request.user.has_perm(f"store.{permission}")
    return item


def _model(title: str, icon: str, model: str, **more: object) -> object:
    return _item(title, icon, _list(model), f"view_{model}", **more)


#: Wine red, as the rope; the scale is even in lightness so that text on it stays readable.
_WINE: Final = {
    "50": "oklch(97.5% .012 12)",
    "100": "oklch(94.5% .027 12)",
    "200": "oklch(89.5% .054 12)",
    "300": "oklch(81.5% .100 12)",
    "400": "oklch(71.5% .155 13)",
    "500": "oklch(62% .190 14)",
    "600": "oklch(51% .185 15)",
    "700": "oklch(44.5% .165 15)",
    "800": "oklch(38.5% .140 14)",
    "900": "oklch(33.5% .115 13)",
    "950": "oklch(23% .085 12)",
}

UNFOLD: Final[dict[str, object]] = {
    "SITE_TITLE": "Velvet Rope",
    "SITE_HEADER": "Velvet Rope",
    "SITE_SUBHEADER": "the paid door",
    "SITE_URL": None,
    "SITE_ICON": _logo,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _logo}],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "COLORS": {"primary": _WINE},
    "STYLES": [lambda _request: static("console/console.css")],
    "SCRIPTS": [],
    "ACCOUNT": {
        "navigation": [{"title": "Change password", "link": reverse_lazy("admin:password_change")}]
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "",
                "items": [
                    _item("Overview", "monitor_heart", reverse_lazy("admin:index")),
                    _item(
                        "Alerts",
                        "notifications_active",
                        _list("alert"),
                        "view_alert",
                        badge="velvetrope.web.console.alerts.badge_of",
                    ),
                    _item(
                        "Dead letters",
                        "mark_email_unread",
                        reverse_lazy("admin:dead_letters"),
                        "view_inboxevent",
                        badge="velvetrope.web.console.dashboard.dead_letters_badge",
                    ),
                    _item(
                        "Removals",
                        "person_remove",
                        reverse_lazy("admin:removals"),
                        "view_access",
                        badge="velvetrope.web.console.removals.removals_badge",
                    ),
                ],
            },
            {
                "title": "Set up",
                "separator": True,
                "items": [
                    _model("Integrations", "smart_toy", "integration"),
                    _model("Chats", "forum", "chat"),
                    _model("Plans", "sell", "plan"),
                    _model("Texts", "translate", "textoverride"),
                    _model("Stripe accounts", "account_balance", "stripeaccount"),
                ],
            },
            {
                "title": "People",
                "separator": True,
                "items": [
                    _model("Customers", "group", "customer"),
                    _item(
                        "Members from before",
                        "history_toggle_off",
                        reverse_lazy("admin:from_before"),
                        "view_integration",
                    ),
                    _model("Entitlements", "verified", "entitlement"),
                    _model("Access", "door_front", "access"),
                    _model("Checkouts", "shopping_cart_checkout", "checkout"),
                ],
            },
            {
                "title": "Work",
                "separator": True,
                "items": [
                    _model("Events", "inbox", "inboxevent"),
                    _model("Outbox", "outbox", "outboxitem"),
                    _model("Held lanes", "hourglass_top", "lane"),
                    _model("Audit log", "history", "auditentry"),
                ],
            },
        ],
    },
}
