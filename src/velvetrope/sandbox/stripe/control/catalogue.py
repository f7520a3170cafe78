"""Control calls that set an account up: keys, settings, products, prices, customers' cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from velvetrope.sandbox.stripe.billing import customers, methods
from velvetrope.sandbox.stripe.call import apply
from velvetrope.sandbox.stripe.hidden import BillingSettings
from velvetrope.sandbox.stripe.resources.catalogue import new_price, new_product
from velvetrope.sandbox.stripe.shapes import Obj, new_id

from .desk import Body, account_named, conduct_named, owned, read

if TYPE_CHECKING:
    from starlette.requests import Request

    from velvetrope.sandbox.stripe.account import Account
    from velvetrope.sandbox.stripe.simulator import Simulator


class NewAccount(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: str | None = None
    name: str | None = None
    country: str = "DE"


class CatalogPrice(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A price; without an interval it is paid once. `amount` counts the smallest unit."""

    amount: int
    currency: str = "eur"
    interval: str | None = None
    interval_count: int = 1
    nickname: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)


class CatalogProduct(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    description: str | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    prices: list[CatalogPrice] = msgspec.field(default_factory=list)


class Catalog(Body, kw_only=True):
    products: list[CatalogProduct]


class NewPrice(CatalogPrice, kw_only=True):
    product: str


class NewProduct(CatalogProduct, kw_only=True):
    account: str | None = None


class Changes(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a person changes on a product or price in the dashboard."""

    active: bool | None = None
    name: str | None = None
    description: str | None = None
    nickname: str | None = None


class NewCard(msgspec.Struct, forbid_unknown_fields=True):
    card: str


async def add_account(simulator: Simulator, request: Request) -> Obj:
    """Register a key; from then on unregistered keys are refused."""
    new = await read(request, NewAccount)
    key = new.key or f"sk_test_sandbox_{new_id('k')[2:]}"
    if not key.startswith(("sk_test_", "rk_test_")):
        raise ValueError("The sandbox takes test keys only: sk_test_… or rk_test_….")
    account = simulator.world.accounts.get(key)
    if account is None:
        account = simulator.world.open_account(key, new.name, new.country)
    simulator.world.registered_only = True
    return {"id": account.id, "key": key, "name": account.name}


async def list_accounts(simulator: Simulator, _request: Request) -> Obj:
    rows = simulator.world.accounts.values()
    return {"accounts": [{"id": row.id, "name": row.name} for row in rows]}


async def change_settings(simulator: Simulator, request: Request) -> Obj:
    """Set billing settings that are named, leave the others."""
    given = await read(request, dict[str, object])
    account = account_named(simulator, msgspec.convert(given.pop("account", None), str | None))
    known = msgspec.structs.asdict(account.settings)
    account.settings = msgspec.convert({**known, **given}, BillingSettings)
    return msgspec.structs.asdict(account.settings)


async def add_catalog(simulator: Simulator, request: Request) -> Obj:
    """Make products with their prices in one call."""
    catalog = await read(request, Catalog)
    account = account_named(simulator, catalog.account)
    return {
        "account": account.id,
        "products": [_add_product(account, product) for product in catalog.products],
    }


async def add_product(simulator: Simulator, request: Request) -> Obj:
    new = await read(request, NewProduct)
    return _add_product(account_named(simulator, new.account), new)


async def add_price(simulator: Simulator, request: Request) -> Obj:
    new = await read(request, NewPrice)
    account, product = owned(simulator, "product", new.product)
    return _add_price(account, product, new)


def _add_product(account: Account, product: CatalogProduct) -> Obj:
    members: Obj = {"name": product.name, "metadata": product.metadata}
    if product.description is not None:
        members["description"] = product.description
    made = new_product(account, members)
    return {**made, "prices": [_add_price(account, made, price) for price in product.prices]}


def _add_price(account: Account, product: Obj, price: CatalogPrice) -> Obj:
    recurring = None
    if price.interval is not None:
        if price.interval not in {"day", "week", "month", "year"}:
            raise ValueError("An interval is day, week, month or year.")
        recurring = {"interval": price.interval, "interval_count": price.interval_count}
    members: Obj = {
        "product": product["id"],
        "unit_amount": price.amount,
        "currency": price.currency,
        "recurring": recurring,
        "nickname": price.nickname,
        "metadata": price.metadata,
    }
    return new_price(account, members)


async def change_product(simulator: Simulator, request: Request) -> Obj:
    account, product = owned(simulator, "product", request.path_params["id"])
    return await _change(account, product, request)


async def change_price(simulator: Simulator, request: Request) -> Obj:
    account, price = owned(simulator, "price", request.path_params["id"])
    return await _change(account, price, request)


async def _change(account: Account, obj: Obj, request: Request) -> Obj:
    given = msgspec.structs.asdict(await read(request, Changes))
    changes = {name: value for name, value in given.items() if value is not None}
    with account.changing(obj, f"{obj['object']}.updated"):
        apply(obj, changes, *(name for name in changes if name in obj))
        if "updated" in obj:
            obj["updated"] = account.now()
    return obj


async def change_card(simulator: Simulator, request: Request) -> Obj:
    """Give a customer another card, as the portal does."""
    account, customer = owned(simulator, "customer", request.path_params["id"])
    conduct = conduct_named((await read(request, NewCard)).card)
    method = methods.create(account, conduct, customer["email"], customer["name"])
    methods.make_default(account, method, customer)
    return method


async def delete_customer(simulator: Simulator, request: Request) -> Obj:
    account, customer = owned(simulator, "customer", request.path_params["id"])
    return customers.delete(account, customer)
