"""Products and prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.call import Call, apply
from velvetrope.sandbox.stripe.listing import matching
from velvetrope.sandbox.stripe.shapes import Obj, new_id

if TYPE_CHECKING:
    from velvetrope.sandbox.stripe.account import Account

_CURRENCY_LETTERS = 3


def create_product(call: Call) -> Obj:
    return new_product(call.account, call.params)


def new_product(account: Account, params: Obj) -> Obj:
    """Make a product from the parameters of `products.create`."""
    ident = params.get("id") or new_id("prod", 14)
    if ident in account.index:
        raise errors.ApiError("Product already exists.", code="resource_already_exists", param="id")
    now = account.now()
    product = account.add(
        {
            "id": ident,
            "object": "product",
            "active": params.get("active", True),
            "created": now,
            "default_price": None,
            "description": params.get("description"),
            "images": params.get("images", []),
            "livemode": False,
            "marketing_features": params.get("marketing_features", []),
            "metadata": dict(params.get("metadata", {})),
            "name": params["name"],
            "package_dimensions": None,
            "shippable": params.get("shippable"),
            "statement_descriptor": params.get("statement_descriptor"),
            "tax_code": params.get("tax_code"),
            "tax_details": None,
            "type": params.get("type", "service"),
            "unit_label": params.get("unit_label"),
            "updated": now,
            "url": params.get("url"),
        }
    )
    account.emit("product.created", product)
    if "default_price_data" in params:
        price = new_price(account, {**params["default_price_data"], "product": ident})
        product["default_price"] = price["id"]
    return product


def update_product(call: Call) -> Obj:
    product = call.own("product")
    if "default_price" in call.params:
        call.account.get("price", call.params["default_price"], "default_price")
    with call.account.changing(product, "product.updated"):
        apply(
            product,
            call.params,
            "active",
            "default_price",
            "description",
            "images",
            "marketing_features",
            "name",
            "shippable",
            "statement_descriptor",
            "tax_code",
            "unit_label",
            "url",
        )
        product["updated"] = call.account.now()
    return product


def delete_product(call: Call) -> Obj:
    product = call.own("product")
    if any(price["product"] == product["id"] for price in call.account.all("price")):
        raise errors.ApiError(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    call.account.emit("product.deleted", product)
    return call.account.remove(product)


def list_products(call: Call) -> Obj:
    rows = matching(call.account.all("product"), call.params, "active", "shippable", "url", "type")
    if "ids" in call.params:
        rows = [row for row in rows if row["id"] in call.params["ids"]]
    return call.page(rows)


def create_price(call: Call) -> Obj:
    params = dict(call.params)
    if ("product" in params) == ("product_data" in params):
        if "product" in params:
            raise errors.parameters_exclusive("product", "product_data")
        raise errors.parameter_missing("product")
    if "product_data" in params:
        params["product"] = new_product(call.account, params.pop("product_data"))["id"]
    call.account.get("product", params["product"], "product")
    return new_price(call.account, params)


def new_price(account: Account, params: Obj) -> Obj:
    """Make a price from the parameters of `prices.create` that name a product."""
    currency = params["currency"].lower()
    if len(currency) != _CURRENCY_LETTERS or not currency.isalpha():
        raise errors.invalid(f"Invalid currency: {currency}.", "currency")
    amount = params.get("unit_amount")
    if amount is None and "unit_amount_decimal" in params:
        amount = round(float(params["unit_amount_decimal"]))
    if amount is None:
        raise errors.ApiError(
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.",
            code="parameter_missing",
            param="unit_amount",
        )
    if amount < 0:
        raise errors.ApiError(
            "Invalid non-negative integer", code="parameter_invalid_integer", param="unit_amount"
        )
    key = params.get("lookup_key")
    if key is not None and any(p["lookup_key"] == key for p in account.all("price")):
        raise errors.invalid(f"A price already uses that lookup key: {key}", "lookup_key")
    price = account.add(
        {
            "id": new_id("price"),
            "object": "price",
            "active": params.get("active", True),
            "billing_scheme": "per_unit",
            "created": account.now(),
            "currency": currency,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": key,
            "metadata": dict(params.get("metadata", {})),
            "nickname": params.get("nickname"),
            "product": params["product"],
            "recurring": _recurring(params.get("recurring")),
            "tax_behavior": params.get("tax_behavior", "unspecified"),
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if params.get("recurring") else "one_time",
            "unit_amount": amount,
            "unit_amount_decimal": str(params.get("unit_amount_decimal", amount)),
        }
    )
    account.emit("price.created", price)
    return price


def _recurring(given: Obj | None) -> Obj | None:
    if given is None:
        return None
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": None,
        "trial_period_days": None,
        "usage_type": given.get("usage_type", "licensed"),
    }


def update_price(call: Call) -> Obj:
    price = call.own("price")
    product = call.account.get("product", price["product"])
    if call.params.get("active") is False and product["default_price"] == price["id"]:
        raise errors.ApiError(
            "This price cannot be archived because it is the default price of its product."
        )
    with call.account.changing(price, "price.updated"):
        apply(price, call.params, "active", "lookup_key", "nickname", "tax_behavior")
    return price


def list_prices(call: Call) -> Obj:
    params = call.params
    rows = matching(call.account.all("price"), params, "active", "currency", "product", "type")
    if "lookup_keys" in params:
        rows = [row for row in rows if row["lookup_key"] in params["lookup_keys"]]
    recurring = params.get("recurring", {})
    if "interval" in recurring:
        wanted = recurring["interval"]
        rows = [row for row in rows if row["recurring"] and row["recurring"]["interval"] == wanted]
    return call.page(rows)
