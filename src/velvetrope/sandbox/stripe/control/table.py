"""The addresses of the control API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import catalogue, money, records
from .desk import route

if TYPE_CHECKING:
    from starlette.routing import Route

    from velvetrope.sandbox.stripe.simulator import Simulator

    from .desk import Handler

_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "accounts", catalogue.list_accounts),
    ("POST", "accounts", catalogue.add_account),
    ("POST", "settings", catalogue.change_settings),
    ("POST", "catalog", catalogue.add_catalog),
    ("POST", "products", catalogue.add_product),
    ("POST", "products/{id}", catalogue.change_product),
    ("POST", "prices", catalogue.add_price),
    ("POST", "prices/{id}", catalogue.change_price),
    ("POST", "customers/{id}/card", catalogue.change_card),
    ("POST", "customers/{id}/delete", catalogue.delete_customer),
    ("GET", "checkouts", money.list_checkouts),
    ("POST", "checkouts/{id}/pay", money.pay_checkout),
    ("POST", "checkouts/{id}/expire", money.expire_checkout),
    ("POST", "payments/{id}/settle", money.settle_payment),
    ("POST", "payments/{id}/refund", money.refund_payment),
    ("POST", "payments/{id}/dispute", money.dispute_payment),
    ("POST", "refunds/{id}", money.change_refund),
    ("POST", "disputes/{id}", money.change_dispute),
    ("POST", "subscriptions/{id}", money.change_subscription),
    ("POST", "invoices/{id}/pay", money.pay_invoice),
    ("GET", "clock", records.show_clock),
    ("POST", "clock", records.move_clock),
    ("POST", "webhook_endpoints", records.add_endpoint),
    ("POST", "webhook_endpoints/{id}", records.switch_endpoint),
    ("POST", "webhook_endpoints/{id}/roll", records.roll_secret),
    ("GET", "events", records.list_events),
    ("POST", "events", records.add_event),
    ("POST", "events/{id}/resend", records.resend_event),
    ("GET", "deliveries", records.list_deliveries),
    ("GET", "calls", records.list_calls),
    ("GET", "faults", records.show_faults),
    ("POST", "faults", records.set_faults),
    ("GET", "state", records.show_state),
)


def routes(simulator: Simulator) -> list[Route]:
    """Make the control API's routes."""
    return [route(simulator, method, path, handler) for method, path, handler in _TABLE]
