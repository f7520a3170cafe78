"""Whose an object of Stripe is. What belongs to nobody here is foreign, and left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.errors import Permanent
from velvetrope.gateways.stripe import metadata as tags
from velvetrope.store import owners

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.pipeline.work import CustomerKey
    from velvetrope.usecases.services import Services


async def find_owner(
    services: Services,
    account_id: int,
    *,
    name: str,
    metadata: Mapping[str, str],
    customer_id: str | None,
    session_id: str | None = None,
) -> CustomerKey | None:
    """Ask the object's own tag, then its customer's, then the records made here.

    What gave somebody a right here stays theirs: a tag that was edited by hand afterwards neither
    moves the right nor takes it away.
    """
    holder = await services.db.read(lambda: owners.find_holder(name, account_id))
    if holder is not None:
        return holder
    found = await _of_tag(services, account_id, metadata)
    if found is not None or tags.parse(metadata) is not None:
        return found  # a tag that names a bot unknown here says that it is somebody else's
    gateway = await services.stripe.gateway(account_id)
    if customer_id is not None:
        customer_tag = await _customer_metadata(gateway, customer_id)
        found = await _of_tag(services, account_id, customer_tag)
        if found is not None or tags.parse(customer_tag) is not None:
            return found
        found = await services.db.read(
            lambda: owners.find_customer_of_stripe(customer_id, account_id)
        )
    if found is None and session_id is not None:
        found = await services.db.read(
            lambda: owners.find_customer_of_session(session_id, account_id)
        )
    return found


async def _of_tag(
    services: Services, account_id: int, metadata: Mapping[str, str]
) -> CustomerKey | None:
    tag = tags.parse(metadata)
    if tag is None:
        return None
    integration_id = await services.db.read(
        lambda: owners.find_integration_of_bot(tag.integration, account_id)
    )
    return None if integration_id is None else (integration_id, tag.telegram_user_id)


async def _customer_metadata(gateway: StripeGateway, customer_id: str) -> Mapping[str, str]:
    try:
        return (await gateway.fetch_customer(customer_id)).metadata
    except Permanent as error:
        if error.code != "stripe_not_found":
            raise
        return {}  # deleted long ago: the local record may still know
