"""The shapes of invoices, their lines and their payments at the pinned version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe.shapes import Obj, list_of, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

_NO_TAX = {
    "disabled_reason": None,
    "enabled": False,
    "liability": None,
    "provider": None,
    "status": None,
}


def line(
    price: Obj,
    *,
    amount: int,
    quantity: int,
    period: tuple[int, int],
    description: str,
    subscription: Obj | None = None,
    item: Obj | None = None,
    discount_amount: int = 0,
    proration: bool = False,
) -> Obj:
    """Give one line of an invoice; `amount` is before the discount."""
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [{"amount": discount_amount, "discount": new_id("di")}]
        if discount_amount
        else [],
        "discountable": not proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(subscription["metadata"]) if subscription else {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": proration,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        }
        if subscription and item
        else None,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": str(price["unit_amount"]),
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": subscription["id"] if subscription else None,
        "subtotal": amount,
        "taxes": [],
    }


def invoice(
    account: Account,
    customer: Obj,
    lines: list[Obj],
    *,
    reason: str,
    subscription: Obj | None = None,
    metadata: Obj | None = None,
    auto_advance: bool = True,
) -> Obj:
    """Give a draft of an invoice over `lines`."""
    now = account.now()
    ident = new_id("in")
    for each in lines:
        each["invoice"] = ident
    subtotal = sum(each["amount"] for each in lines)
    off = sum(d["amount"] for each in lines for d in each["discount_amounts"])
    total = subtotal - off
    return {
        "id": ident,
        "object": "invoice",
        "account_country": account.data["country"],
        "account_name": account.name,
        "account_tax_ids": None,
        "amount_due": max(total, 0),
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_remaining": max(total, 0),
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": auto_advance,
        "automatic_tax": dict(_NO_TAX),
        "automatically_finalizes_at": int(now + account.settings.draft_seconds)
        if auto_advance
        else None,
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": now,
        "currency": lines[0]["currency"],
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": list_of(lines, f"/v1/invoices/{ident}/lines") | {"total_count": len(lines)},
        "livemode": False,
        "metadata": dict(metadata or {}),
        "next_payment_attempt": int(now + account.settings.draft_seconds) if auto_advance else None,
        "number": None,
        "on_behalf_of": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
            },
            "type": "subscription_details",
        }
        if subscription
        else None,
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_details": None,
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [{"amount": off, "discount": new_id("di")}] if off else [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": now,
    }


def invoice_payment(invoice: Obj, intent: Obj, now: int) -> Obj:
    """Give the link between an invoice and the payment intent that pays it."""
    return {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": intent["amount"],
        "created": now,
        "currency": intent["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
