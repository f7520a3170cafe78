"""The API's addresses: which parameters each takes (by the SDK's names) and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .resources import (
    catalogue,
    discounts,
    events,
    payments,
    people,
    portal,
    sessions,
    subscriptions,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .call import Call
    from .shapes import Obj


class Route(NamedTuple):
    """The name of the parameters' TypedDict in `stripe.params`, and the function."""

    params: str
    act: Callable[[Call], Obj]


def _own(kind: str) -> Callable[[Call], Obj]:
    return lambda call: call.own(kind)


_TABLE: dict[str, Route] = {
    "GET account": Route("AccountRetrieveParams", people.account),
    "GET accounts/*": Route("AccountRetrieveParams", people.account_by_id),
    "POST products": Route("ProductCreateParams", catalogue.create_product),
    "GET products": Route("ProductListParams", catalogue.list_products),
    "GET products/*": Route("ProductRetrieveParams", _own("product")),
    "POST products/*": Route("ProductUpdateParams", catalogue.update_product),
    "DELETE products/*": Route("ProductDeleteParams", catalogue.delete_product),
    "POST prices": Route("PriceCreateParams", catalogue.create_price),
    "GET prices": Route("PriceListParams", catalogue.list_prices),
    "GET prices/*": Route("PriceRetrieveParams", _own("price")),
    "POST prices/*": Route("PriceUpdateParams", catalogue.update_price),
    "POST coupons": Route("CouponCreateParams", discounts.create_coupon),
    "GET coupons": Route("CouponListParams", discounts.list_coupons),
    "GET coupons/*": Route("CouponRetrieveParams", _own("coupon")),
    "POST promotion_codes": Route("PromotionCodeCreateParams", discounts.create_promotion_code),
    "GET promotion_codes": Route("PromotionCodeListParams", discounts.list_promotion_codes),
    "GET promotion_codes/*": Route("PromotionCodeRetrieveParams", _own("promotion_code")),
    "POST customers": Route("CustomerCreateParams", people.create_customer),
    "GET customers": Route("CustomerListParams", people.list_customers),
    "GET customers/*": Route("CustomerRetrieveParams", people.retrieve_customer),
    "POST customers/*": Route("CustomerUpdateParams", people.update_customer),
    "DELETE customers/*": Route("CustomerDeleteParams", people.delete_customer),
    "GET customers/*/payment_methods": Route(
        "CustomerPaymentMethodListParams", people.list_customer_payment_methods
    ),
    "GET payment_methods": Route("PaymentMethodListParams", people.list_payment_methods),
    "GET payment_methods/*": Route("PaymentMethodRetrieveParams", people.retrieve_payment_method),
    "POST payment_methods/*": Route("PaymentMethodUpdateParams", people.update_payment_method),
    "POST payment_methods/*/attach": Route(
        "PaymentMethodAttachParams", people.attach_payment_method
    ),
    "POST payment_methods/*/detach": Route(
        "PaymentMethodDetachParams", people.detach_payment_method
    ),
    "POST checkout/sessions": Route("checkout.SessionCreateParams", sessions.create),
    "GET checkout/sessions": Route("checkout.SessionListParams", sessions.list_sessions),
    "GET checkout/sessions/*": Route("checkout.SessionRetrieveParams", sessions.retrieve),
    "POST checkout/sessions/*": Route("checkout.SessionUpdateParams", sessions.update),
    "POST checkout/sessions/*/expire": Route("checkout.SessionExpireParams", sessions.expire),
    "GET checkout/sessions/*/line_items": Route(
        "checkout.SessionLineItemListParams", sessions.line_items
    ),
    "POST subscriptions": Route("SubscriptionCreateParams", subscriptions.create),
    "GET subscriptions": Route("SubscriptionListParams", subscriptions.list_subscriptions),
    "GET subscriptions/*": Route("SubscriptionRetrieveParams", subscriptions.retrieve),
    "POST subscriptions/*": Route("SubscriptionUpdateParams", subscriptions.update),
    "DELETE subscriptions/*": Route("SubscriptionCancelParams", subscriptions.cancel),
    "POST subscriptions/*/pause": Route("SubscriptionPauseParams", subscriptions.pause),
    "POST subscriptions/*/resume": Route("SubscriptionResumeParams", subscriptions.resume),
    "GET invoices": Route("InvoiceListParams", payments.list_invoices),
    "GET invoices/*": Route("InvoiceRetrieveParams", payments.retrieve_invoice),
    "POST invoices/*": Route("InvoiceUpdateParams", payments.update_invoice),
    "GET invoices/*/lines": Route("InvoiceLineItemListParams", payments.invoice_lines),
    "POST invoices/*/finalize": Route("InvoiceFinalizeInvoiceParams", payments.finalize_invoice),
    "POST invoices/*/pay": Route("InvoicePayParams", payments.pay_invoice),
    "POST invoices/*/void": Route("InvoiceVoidInvoiceParams", payments.void_invoice),
    "GET invoice_payments": Route("InvoicePaymentListParams", payments.list_invoice_payments),
    "GET invoice_payments/*": Route(
        "InvoicePaymentRetrieveParams", payments.retrieve_invoice_payment
    ),
    "GET payment_intents": Route("PaymentIntentListParams", payments.list_intents),
    "GET payment_intents/*": Route("PaymentIntentRetrieveParams", payments.retrieve_intent),
    "POST payment_intents/*": Route("PaymentIntentUpdateParams", payments.update_intent),
    "GET charges": Route("ChargeListParams", payments.list_charges),
    "GET charges/*": Route("ChargeRetrieveParams", payments.retrieve_charge),
    "GET balance_transactions/*": Route(
        "BalanceTransactionRetrieveParams", _own("balance_transaction")
    ),
    "POST refunds": Route("RefundCreateParams", payments.create_refund),
    "GET refunds": Route("RefundListParams", payments.list_refunds),
    "GET refunds/*": Route("RefundRetrieveParams", payments.retrieve_refund),
    "POST refunds/*": Route("RefundUpdateParams", payments.update_refund),
    "POST refunds/*/cancel": Route("RefundCancelParams", payments.cancel_refund),
    "GET disputes": Route("DisputeListParams", payments.list_disputes),
    "GET disputes/*": Route("DisputeRetrieveParams", payments.retrieve_dispute),
    "POST disputes/*": Route("DisputeUpdateParams", payments.update_dispute),
    "POST disputes/*/close": Route("DisputeCloseParams", payments.close_dispute),
    "POST billing_portal/sessions": Route(
        "billing_portal.SessionCreateParams", portal.create_session
    ),
    "POST billing_portal/configurations": Route(
        "billing_portal.ConfigurationCreateParams", portal.create_configuration
    ),
    "GET billing_portal/configurations": Route(
        "billing_portal.ConfigurationListParams", portal.list_configurations
    ),
    "GET billing_portal/configurations/*": Route(
        "billing_portal.ConfigurationRetrieveParams", portal.retrieve_configuration
    ),
    "POST billing_portal/configurations/*": Route(
        "billing_portal.ConfigurationUpdateParams", portal.update_configuration
    ),
    "GET events": Route("EventListParams", events.list_events),
    "GET events/*": Route("EventRetrieveParams", events.retrieve_event),
    "POST webhook_endpoints": Route("WebhookEndpointCreateParams", events.create_endpoint),
    "GET webhook_endpoints": Route("WebhookEndpointListParams", events.list_endpoints),
    "GET webhook_endpoints/*": Route("WebhookEndpointRetrieveParams", events.retrieve_endpoint),
    "POST webhook_endpoints/*": Route("WebhookEndpointUpdateParams", events.update_endpoint),
    "DELETE webhook_endpoints/*": Route("WebhookEndpointDeleteParams", events.delete_endpoint),
}

#: Resources whose name takes two steps of the path.
_DEEP = frozenset({"checkout", "billing_portal"})


def find(method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Give the route of a request below `/v1/` and the ids in its path."""
    steps = path.strip("/").split("/")
    first = 2 if steps[0] in _DEEP else 1
    ids = tuple(steps[first : first + 1])
    pattern = "/".join([*steps[:first], *("*" for _ in ids), *steps[first + 1 :]])
    route = _TABLE.get(f"{method} {pattern}")
    return None if route is None else (route, ids)
