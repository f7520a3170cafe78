"""The Stripe accounts that are sold from: the environment's and those of the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.errors import NeedsOperator
from velvetrope.gateways.stripe.gateway import StripeGateway
from velvetrope.store.models import StripeAccount

if TYPE_CHECKING:
    from collections.abc import Callable

    from velvetrope.gateways.stripe.transport import StripeTransport
    from velvetrope.usecases.services import Reader, StripeAccounts

ENVIRONMENT_ACCOUNT = "Environment"


def _nobody_minds(_remote: str) -> None:
    """Let everybody through, where there are no breakers."""


class KnownAccounts:
    """A gateway for each account; a key that changed gets a new one."""

    def __init__(
        self,
        db: Reader,
        *,
        environment_key: str | None,
        base_url: str,
        transport: StripeTransport,
        enter: Callable[[str], None] = _nobody_minds,
    ) -> None:
        self._db = db
        #: Raises RetryLater while the named remote is down: see pipeline/breakers.py.
        self._enter = enter
        self._environment_key = environment_key
        self._base_url = base_url
        self._transport = transport
        self._gateways: dict[int, tuple[str, StripeGateway]] = {}

    async def gateway(self, account_id: int) -> StripeGateway:
        """Give the gateway of an account; NeedsOperator if it has no key (any more).

        RetryLater `circuit_open` while Stripe doesn't answer for this account.
        """
        self._enter(f"stripe:{account_id}")
        key = await self._db.read(lambda: self._key(account_id))
        if not key:
            raise NeedsOperator("stripe_key_missing", account=account_id)
        known = self._gateways.get(account_id)
        if known is not None and known[0] == key:
            return known[1]
        gateway = StripeGateway(key, base_url=self._base_url, http_client=self._transport)
        self._gateways[account_id] = (key, gateway)
        return gateway

    def _key(self, account_id: int) -> str | None:
        account = StripeAccount.objects.filter(id=account_id).first()
        if account is None:
            return None
        if account.from_environment:
            return self._environment_key
        return None if account.api_key is None else account.api_key.reveal()


async def is_of_other_mode(accounts: StripeAccounts, account_id: int, *, livemode: bool) -> bool:
    """Tell whether an event speaks of the mode, live or test, that the account's key can't see."""
    return (await accounts.gateway(account_id)).livemode != livemode


def ensure_environment_account(api_key: str | None) -> None:
    """Give the key of the environment a row that integrations can refer to."""
    if not api_key:
        return
    livemode = api_key.startswith(("sk_live_", "rk_live_"))
    account, made = StripeAccount.objects.get_or_create(
        from_environment=True, defaults={"name": ENVIRONMENT_ACCOUNT, "livemode": livemode}
    )
    if not made and account.livemode != livemode:
        account.livemode = livemode
        account.save()
