"""One process of the product: its ports, opened and closed together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp

from velvetrope.bootstrap.roles import Role
from velvetrope.bootstrap.routes import build_routes
from velvetrope.domain.backoff import DEFAULT, Backoff
from velvetrope.gateways.clock import clock_of
from velvetrope.gateways.stripe.transport import StripeTransport
from velvetrope.gateways.telegram.bot import BotApi
from velvetrope.gateways.telegram.client import TelegramClient
from velvetrope.pipeline.breakers import Breakers
from velvetrope.pipeline.database import Database
from velvetrope.pipeline.dialect import dialect_of_database
from velvetrope.pipeline.pipeline import Pipeline
from velvetrope.pipeline.rehearsal import Stage
from velvetrope.store.catalogue import Catalogue
from velvetrope.usecases.accounts import KnownAccounts, ensure_environment_account
from velvetrope.usecases.invite_links import InviteLinks
from velvetrope.usecases.services import Services

if TYPE_CHECKING:
    from velvetrope.domain.breaker import BreakerPolicy
    from velvetrope.domain.clock import Clock
    from velvetrope.settings import Settings
    from velvetrope.store.encryption import Secret

#: Connections to one vendor; more calls than that wait for one.
CONNECTIONS = 128


@dataclass(frozen=True, slots=True)
class Patience:
    """How long vendors that fail are left alone; tests are in more of a hurry."""

    backoff: Backoff = DEFAULT
    breakers: BreakerPolicy | None = None


class Application:
    """One process of the product: ports opened by `start`, closed by `stop`."""

    def __init__(self, settings: Settings, clock: Clock, patience: Patience) -> None:
        self.settings = settings
        self.clock = clock
        self.catalogue = Catalogue()
        self.breakers = Breakers(patience.breakers)
        self._backoff = patience.backoff
        self.db = Database(dialect_of_database())
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Open what commands need: the database and both vendors."""
        await self.db.start()
        # Requests carry their own time-outs; cookies of a vendor are nobody's business.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self.telegram = TelegramClient(self._session, self.settings.telegram_api_url)
        self.stripe = KnownAccounts(
            self.db,
            environment_key=self.settings.stripe_api_key,
            base_url=self.settings.stripe_api_url,
            transport=StripeTransport(self._session),
            enter=self.breakers.enter,
        )
        self.services = Services(
            db=self.db,
            catalogue=self.catalogue,
            clock=self.clock,
            stripe=self.stripe,
            bot=self.bot,
            public_url=self.settings.public_url,
            installation=installation_name(self.settings),
            stripe_silence_hours=self.settings.stripe_silence_hours,
            stage=Stage(self.catalogue, self.db.dialect, self.clock),
        )
        self.invite_links = InviteLinks(self.services)
        self.pipeline = Pipeline(
            self.db,
            self.catalogue,
            self.clock,
            build_routes(self.services),
            self.bot,
            self.invite_links.link,
            backoff=self._backoff,
            breakers=self.breakers,
        )
        await self.db.write(lambda: ensure_environment_account(self.settings.stripe_api_key))

    async def start(self, role: Role = Role.ALL) -> None:
        """Open everything and, unless others do it, take up the work."""
        await self.open()
        if role.works:
            await self.pipeline.start()

    async def stop(self, patience: float = 10.0) -> None:
        """Finish what is in flight, leave the rest stored, close everything."""
        await self.pipeline.stop(patience)
        await self.close()

    async def close(self) -> None:
        """Close what `open` has opened."""
        await self.db.stop()
        if self._session is not None:
            await self._session.close()

    def bot(self, token: Secret) -> BotApi:
        """Give the client of a bot."""
        return BotApi(self.telegram, token.reveal())


def build(
    settings: Settings, *, clock: Clock | None = None, patience: Patience = Patience()
) -> Application:
    """Build the application; nothing is opened yet."""
    return Application(settings, clock or clock_of(settings.clock_file), patience)


def installation_name(settings: Settings) -> str:
    """Name the installation in Stripe's metadata, for people who read it there."""
    return settings.public_host.replace(".", "-")[:64] or "velvetrope"
