"""The composition root: settings in, one application with everything wired out.

Import it once Django is configured (`web/django_config.py`): it reaches the models.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp

from velvetrope.domain.backoff import DEFAULT, Backoff
from velvetrope.domain.states import Source
from velvetrope.gateways.clock import clock_of
from velvetrope.gateways.stripe.transport import StripeTransport
from velvetrope.gateways.telegram.bot import BotApi
from velvetrope.gateways.telegram.client import TelegramClient
from velvetrope.pipeline.breakers import Breakers
from velvetrope.pipeline.database import Database
from velvetrope.pipeline.dialect.sqlite import SqliteDialect
from velvetrope.pipeline.pipeline import Pipeline, resume
from velvetrope.pipeline.rehearsal import Stage
from velvetrope.pipeline.routes import Periodic, Routes
from velvetrope.store.catalogue import Catalogue
from velvetrope.usecases import (
    account_watch,
    alert_telling,
    attending,
    chronicle,
    granting,
    observing,
    onboarding,
    outcomes,
    pricing,
    sweep,
    watching,
)
from velvetrope.usecases.accounts import KnownAccounts, ensure_environment_account
from velvetrope.usecases.adoption import adopting, announcing, counting, forgetting, looking
from velvetrope.usecases.adoption.jobs import ADOPT, COUNT, LOOK, ORDER, TELL
from velvetrope.usecases.alert_dead import sweep_dead_letters
from velvetrope.usecases.billing.handlers import RECHECK, RecheckHandler, billing_handlers
from velvetrope.usecases.billing.objects import FETCH, FetchHandler
from velvetrope.usecases.conversation.routes import conversation_handlers
from velvetrope.usecases.door import JoinRequestHandler, MemberHandler, OwnStandingHandler
from velvetrope.usecases.invite_links import InviteLinks
from velvetrope.usecases.leaving.brake import sweep_brakes
from velvetrope.usecases.leaving.handler import RemoveHandler
from velvetrope.usecases.leaving.orders import REMOVE
from velvetrope.usecases.onboarding.checking import CheckHandler
from velvetrope.usecases.onboarding.registering import RegisterHandler, SyncPlansHandler
from velvetrope.usecases.operations.orders import GRANT, MESSAGE, REINVITE, REVOKE, SYNC
from velvetrope.usecases.operations.reviews import REVIEW
from velvetrope.usecases.reconciling.backfilling import BACKFILL, BackfillHandler
from velvetrope.usecases.reconciling.listing import ListHandler
from velvetrope.usecases.reconciling.looking import LookHandler
from velvetrope.usecases.reconciling.orders import LIST_PAGE, LOOK_AROUND
from velvetrope.usecases.reconciling.schedule import Schedule
from velvetrope.usecases.rehearsing.running import DRY_RUN, DryRunHandler
from velvetrope.usecases.reminding import occasions, searching
from velvetrope.usecases.reminding.handler import REMIND, RemindHandler
from velvetrope.usecases.reminding.refreshing import Refresher
from velvetrope.usecases.reminding.replanning import REPLAN, ReplanHandler
from velvetrope.usecases.reviewing import ReviewHandler
from velvetrope.usecases.services import Services
from velvetrope.usecases.understanding import sweep_unknowns

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from velvetrope.domain.breaker import BreakerPolicy
    from velvetrope.domain.clock import Clock
    from velvetrope.pipeline.routes import Handler, Outcome
    from velvetrope.settings import Settings
    from velvetrope.store.encryption import Secret

#: How often the rows are searched for what time alone has brought about.
SWEEP_EVERY = timedelta(seconds=20)
ALERTS_EVERY = timedelta(seconds=10)
HOURLY = timedelta(hours=1)
DEAD_EVERY = timedelta(minutes=1)
WAITING_EVERY = timedelta(minutes=10)
PRICES_EVERY = timedelta(minutes=10)
BRAKES_EVERY = timedelta(minutes=1)
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
        self.db = Database(SqliteDialect())
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

    async def start(self) -> None:
        """Open everything and take up the work; for the one process that serves."""
        await self.open()
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


def build_routes(services: Services) -> Routes:
    """Give the one table of what handles what."""
    return Routes(
        handlers={
            **conversation_handlers(services, own_standing=OwnStandingHandler()),
            (Source.TELEGRAM.value, "chat_join_request"): JoinRequestHandler(),
            (Source.TELEGRAM.value, "chat_member"): MemberHandler(),
            **_of_stripe(services),
            **_of_jobs(services),
        },
        outcomes=_outcomes(),
        checks=dict.fromkeys(outcomes.DOOR_ACTIONS, partial(outcomes.still_wanted, services.clock)),
        refreshes={occasions.FAMILY: Refresher(services.catalogue, services.clock).refresh},
        periodic=_periodic(services),
        witness=chronicle.witness,
    )


def _of_stripe(services: Services) -> dict[tuple[str, str], Handler[Any]]:
    handlers: dict[str, Handler[Any]] = {**billing_handlers(services)}
    prices = pricing.PricingHandler(services)
    handlers |= dict.fromkeys(pricing.PRICING_EVENTS, prices)
    return {(Source.STRIPE.value, kind): handler for kind, handler in handlers.items()}


def _of_jobs(services: Services) -> dict[tuple[str, str], Handler[Any]]:
    handlers: dict[str, Handler[Any]] = {
        onboarding.REGISTER: RegisterHandler(services, resume),
        onboarding.CHECK: CheckHandler(services, resume),
        onboarding.SYNC_PLANS: SyncPlansHandler(services),
        GRANT: granting.GrantHandler(partial(observing.observe, services)),
        REVOKE: granting.RevokeHandler(),
        SYNC: attending.SyncHandler(services),
        REINVITE: attending.ReinviteHandler(services),
        MESSAGE: attending.MessageHandler(),
        RECHECK: RecheckHandler(services),
        BACKFILL: BackfillHandler(services),
        FETCH: FetchHandler(services),
        LIST_PAGE: ListHandler(services),
        LOOK_AROUND: LookHandler(services),
        LOOK: looking.LookHandler(services),
        ORDER: adopting.OrderHandler(),
        ADOPT: adopting.AdoptHandler(services),
        TELL: announcing.TellHandler(),
        COUNT: counting.CountHandler(services),
        REMOVE: RemoveHandler(services),
        REVIEW: ReviewHandler(services),
        REMIND: RemindHandler(services),
        REPLAN: ReplanHandler(),
        DRY_RUN: DryRunHandler(services),
    }
    return {(Source.JOB.value, kind): handler for kind, handler in handlers.items()}


def _outcomes() -> dict[str, Outcome]:
    message = outcomes.MessageOutcome()
    return {
        "sendMessage": message,
        "editMessageText": message,
        "answerCallbackQuery": outcomes.ButtonOutcome(),
        **dict.fromkeys(outcomes.DOOR_ACTIONS, outcomes.DoorOutcome()),
    }


def _periodic(services: Services) -> tuple[Periodic, ...]:
    async def run(search: Callable[[datetime], int]) -> None:
        """Search in short transactions, until one finds less than it could have taken."""
        found = sweep.MOST_AT_ONCE
        while found >= sweep.MOST_AT_ONCE:
            now = services.clock()
            found = await services.db.write(partial(search, now))

    def every(length: timedelta, search: Callable[[datetime], int], first: float) -> Periodic:
        return Periodic(
            search.__name__.removeprefix("sweep_"),
            length.total_seconds(),
            partial(run, search),
            first_after=first,
        )

    watch = watching.Watch(services, resume)

    async def tell() -> None:
        now, url = services.clock(), services.alerts_url
        await services.db.write(lambda: alert_telling.tell_alerts(now, url))

    schedule = Schedule(services)
    return (
        Periodic("events", HOURLY.total_seconds(), schedule.hourly, first_after=3.0),
        Periodic("everything", WAITING_EVERY.total_seconds(), schedule.daily, first_after=120.0),
        Periodic("alerts", ALERTS_EVERY.total_seconds(), tell, first_after=5.0),
        every(SWEEP_EVERY, sweep.sweep_due, 2.0),
        every(SWEEP_EVERY, searching.sweep_notices, 3.0),
        every(WAITING_EVERY, sweep.sweep_waiting, 10.0),
        every(PRICES_EVERY, sweep.sweep_prices, 60.0),
        every(DEAD_EVERY, sweep_dead_letters, 20.0),
        Periodic(
            "accounts",
            account_watch.EVERY.total_seconds(),
            partial(account_watch.watch_accounts, services),
            first_after=15.0,
        ),
        Periodic("bots", watching.EVERY.total_seconds(), watch.run, first_after=8.0),
        every(WAITING_EVERY, counting.sweep_counts, 30.0),
        every(WAITING_EVERY, forgetting.sweep_lists, 120.0),
        every(BRAKES_EVERY, sweep_brakes, 30.0),
        every(WAITING_EVERY, sweep_unknowns, 120.0),
    )
