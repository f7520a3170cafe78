"""The one routing table: what handles what, and what follows from it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from velvetrope.bootstrap.periodic import periodic_work
from velvetrope.domain.states import Source
from velvetrope.pipeline.pipeline import resume
from velvetrope.pipeline.routes import Routes
from velvetrope.usecases import (
    attending,
    chronicle,
    granting,
    observing,
    onboarding,
    outcomes,
    pricing,
)
from velvetrope.usecases.adoption import adopting, announcing, counting, looking
from velvetrope.usecases.adoption.jobs import ADOPT, COUNT, LOOK, ORDER, TELL
from velvetrope.usecases.billing.handlers import RecheckHandler, billing_handlers
from velvetrope.usecases.billing.objects import FETCH, FetchHandler
from velvetrope.usecases.billing.rechecks import RECHECK
from velvetrope.usecases.conversation.routes import conversation_handlers
from velvetrope.usecases.door import JoinRequestHandler, MemberHandler, OwnStandingHandler
from velvetrope.usecases.door_calls import DOOR_ACTIONS, still_wanted
from velvetrope.usecases.leaving import goodbye
from velvetrope.usecases.leaving.handler import RemoveHandler
from velvetrope.usecases.leaving.orders import REMOVE
from velvetrope.usecases.onboarding.checking import CheckHandler
from velvetrope.usecases.onboarding.registering import RegisterHandler, SyncPlansHandler
from velvetrope.usecases.operations.reviews import REVIEW
from velvetrope.usecases.orders import GRANT, MESSAGE, REINVITE, REVOKE, SYNC
from velvetrope.usecases.reconciling.backfilling import BACKFILL, BackfillHandler
from velvetrope.usecases.reconciling.listing import ListHandler
from velvetrope.usecases.reconciling.looking import LookHandler
from velvetrope.usecases.reconciling.orders import LIST_PAGE, LOOK_AROUND
from velvetrope.usecases.rehearsing.running import DRY_RUN, DryRunHandler
from velvetrope.usecases.reminding import occasions
from velvetrope.usecases.reminding.handler import REMIND, RemindHandler
from velvetrope.usecases.reminding.refreshing import Refresher
from velvetrope.usecases.reminding.replanning import REPLAN, ReplanHandler
from velvetrope.usecases.reviewing import ReviewHandler

if TYPE_CHECKING:
    from velvetrope.pipeline.routes import Handler, Outcome, Refresh
    from velvetrope.usecases.services import Services


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
        checks=dict.fromkeys(DOOR_ACTIONS, partial(still_wanted, services.clock)),
        refreshes=_refreshes(services),
        periodic=periodic_work(services),
        witness=chronicle.witness,
    )


def _refreshes(services: Services) -> dict[str, Refresh]:
    reminders = Refresher(services.catalogue, services.clock)
    goodbyes = goodbye.Goodbyes(services.catalogue, services.clock)
    return {
        occasions.FAMILY: reminders.refresh,
        goodbye.ENDED: goodbyes.of_right,
        goodbye.LOST: goodbyes.of_chat,
    }


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
        **dict.fromkeys(DOOR_ACTIONS, outcomes.DoorOutcome()),
    }
