"""What use cases are given by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from velvetrope.domain.clock import Clock
    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.pipeline.work import Work
    from velvetrope.store.catalogue import Catalogue, IntegrationView
    from velvetrope.store.encryption import Secret

T = TypeVar("T")

#: Where Telegram's own links lead; the sandbox's phone understands them too.
DEEP_LINK = "https://t.me"


class Reader(Protocol):
    """Reads the database outside of any transaction that writes."""

    async def read(self, fn: Callable[[], T]) -> T: ...


class Store(Reader, Protocol):
    """Also runs functions in a transaction that writes; they must be able to run again."""

    async def write(self, fn: Callable[[], T]) -> T: ...


class Stage(Protocol):
    """Runs what a handler would do within a transaction that writes, and takes all of it back."""

    def play(self, scene: Callable[[Work], T]) -> T: ...


class StripeAccounts(Protocol):
    """The gateways of the Stripe accounts, by the id of their row."""

    async def gateway(self, account_id: int) -> StripeGateway: ...


@dataclass(frozen=True, slots=True)
class Services:
    """Ports and settings, shared by all handlers of one process."""

    db: Store
    catalogue: Catalogue
    clock: Clock
    stripe: StripeAccounts
    #: Makes the client of one bot from its token.
    bot: Callable[[Secret], BotApi]
    public_url: str
    #: Names this installation in the metadata of Stripe's objects.
    installation: str
    #: Shows what handlers would do.
    stage: Stage
    #: Silence of Stripe that operators are told of; None: by how many subscribe, 0: never.
    stripe_silence_hours: int | None = None

    @property
    def telegram_webhook_url(self) -> str:
        return f"{self.public_url.rstrip('/')}/telegram/bots/webhooks"

    @property
    def stripe_webhook_url(self) -> str:
        return f"{self.public_url.rstrip('/')}/stripe/bots/webhooks"

    @property
    def alerts_url(self) -> str:
        """Where the console shows alerts."""
        return f"{self.public_url.rstrip('/')}/admin/store/alert/"

    async def view(self, integration_id: int) -> IntegrationView | None:
        return await self.db.read(lambda: self.catalogue.view(integration_id))
