"""Whether Stripe has been told where to send its events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from velvetrope.gateways.stripe.gateway import API_VERSION
from velvetrope.usecases.alerts import Trouble

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from velvetrope.gateways.stripe.snapshots import EndpointSnapshot

MISSING: Final = "stripe_webhook_missing"
ELSEWHERE: Final = "stripe_webhook_elsewhere"
DISABLED: Final = "stripe_webhook_disabled"
TYPES: Final = "stripe_webhook_types"
VERSION: Final = "stripe_webhook_version"
CODES: Final = (MISSING, ELSEWHERE, DISABLED, TYPES, VERSION)


def judge_endpoints(
    endpoints: Sequence[EndpointSnapshot], url: str, types: Collection[str]
) -> list[Trouble]:
    """Tell what is wrong with an account's endpoints; `types` are those that are needed at `url`.

    One endpoint that is as it should be is enough, whatever others there are.
    """
    here = [one for one in endpoints if _same(one.url, url)]
    enabled = [one for one in here if one.is_enabled]
    if not enabled:
        if here:
            return [Trouble(DISABLED, data={"url": url})]
        path = urlsplit(url).path
        other = next((one for one in endpoints if urlsplit(one.url).path.rstrip("/") == path), None)
        if other is not None:
            return [Trouble(ELSEWHERE, data={"url": url, "other": other.url})]
        return [Trouble(MISSING, data={"url": url})]
    return min((_faults(one, types) for one in enabled), key=len)


def _faults(endpoint: EndpointSnapshot, types: Collection[str]) -> list[Trouble]:
    faults = []
    lacking = [] if "*" in endpoint.types else sorted(set(types) - set(endpoint.types))
    if lacking:
        faults.append(Trouble(TYPES, data={"types": ", ".join(lacking)}))
    if endpoint.api_version not in {None, API_VERSION}:
        versions = {"version": endpoint.api_version, "wanted": API_VERSION}
        faults.append(Trouble(VERSION, data=versions))
    return faults


def _same(one: str, other: str) -> bool:
    return one.rstrip("/").lower() == other.rstrip("/").lower()
