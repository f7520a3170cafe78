"""Accounts, customers and their payment methods."""

from __future__ import annotations

from velvetrope.sandbox.stripe import errors
from velvetrope.sandbox.stripe.billing import customers, methods
from velvetrope.sandbox.stripe.call import Call, apply, merge_metadata
from velvetrope.sandbox.stripe.shapes import Obj, deleted

_PLAIN = (
    "address",
    "balance",
    "business_name",
    "description",
    "email",
    "individual_name",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
)


def account(call: Call) -> Obj:
    return call.account.data


def account_by_id(call: Call) -> Obj:
    if call.id != call.account.id:
        raise errors.ApiError(
            f"The provided key does not have access to account '{call.id}' (or that account does "
            "not exist). Application access may have been revoked.",
            status=403,
            code="account_invalid",
        )
    return call.account.data


def create_customer(call: Call) -> Obj:
    members: Obj = {"metadata": {}}
    apply(members, call.params, *_PLAIN)
    customer = customers.create(call.account, members)
    _set_methods(call, customer)
    return customer


def update_customer(call: Call) -> Obj:
    customer = call.own("customer")
    with call.account.changing(customer, "customer.updated"):
        apply(customer, call.params, *_PLAIN)
    _set_methods(call, customer)
    return customer


def _set_methods(call: Call, customer: Obj) -> None:
    if "payment_method" in call.params:
        method = methods.method_of(call.account, call.params["payment_method"])
        methods.attach(call.account, method, customer)
    default = (call.params.get("invoice_settings") or {}).get("default_payment_method")
    if default:
        method = methods.method_of(call.account, default)
        methods.make_default(call.account, method, customer)


def retrieve_customer(call: Call) -> Obj:
    if call.account.gone.get(call.id) == "customer":
        return deleted("customer", call.id)
    return call.own("customer")


def delete_customer(call: Call) -> Obj:
    return customers.delete(call.account, call.own("customer"))


def list_customers(call: Call) -> Obj:
    return call.filtered("customer", "email")


def retrieve_payment_method(call: Call) -> Obj:
    return call.own("payment_method")


def list_payment_methods(call: Call) -> Obj:
    return call.filtered("payment_method", "customer", "type")


def list_customer_payment_methods(call: Call) -> Obj:
    customer = call.own("customer")
    rows = call.account.all("payment_method")
    return call.page(row for row in rows if row["customer"] == customer["id"])


def attach_payment_method(call: Call) -> Obj:
    if "customer" not in call.params:
        raise errors.parameter_missing("customer")
    customer = call.account.get("customer", call.params["customer"], "customer")
    method = methods.method_of(call.account, call.id)
    methods.attach(call.account, method, customer)
    return method


def detach_payment_method(call: Call) -> Obj:
    method = call.own("payment_method")
    customer = call.account.find("customer", method["customer"])
    if customer and customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
    with call.account.changing(method, "payment_method.detached"):
        method["customer"] = None
    return method


def update_payment_method(call: Call) -> Obj:
    method = call.own("payment_method")
    if "metadata" in call.params:
        merge_metadata(method, call.params["metadata"])
    return method
