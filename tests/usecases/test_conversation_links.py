"""What a person hears of links to Stripe, whatever Stripe does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, cast

import pytest
from django.db import connection
from msgspec.structs import replace

from tests.usecases.conversation_desk import USER, Desk, message, press
from tests.usecases.wording import gallery
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.domain.states import CheckoutState
from velvetrope.gateways.stripe.snapshots import CheckoutSessionSnapshot, CustomerSnapshot
from velvetrope.pipeline.dialect import dialect_of_database
from velvetrope.pipeline.rehearsal import Stage
from velvetrope.store.catalogue import Catalogue
from velvetrope.store.encryption import Secret
from velvetrope.store.models import (
    Chat,
    Checkout,
    Customer,
    Integration,
    Plan,
    PlanChat,
    StripeAccount,
)
from velvetrope.usecases.conversation.handler import ConversationHandler
from velvetrope.usecases.conversation.late_links import SEND_LINK, SendLinkHandler
from velvetrope.usecases.services import Services

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from velvetrope.gateways.stripe.gateway import StripeGateway
    from velvetrope.gateways.stripe.requests import CheckoutRequest, CustomerRequest
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.routes import Handler

T = TypeVar("T")
LINK = "https://checkout.example.com/c/"


class Database:
    """Reads in a thread of its own, as the product does."""

    async def read(self, fn: Callable[[], T]) -> T:
        def run() -> T:
            try:
                return fn()
            finally:
                connection.close()

        return await asyncio.to_thread(run)

    async def write(self, fn: Callable[[], T], *, urgent: bool = False) -> T:
        raise AssertionError(f"{fn} is written outside of the event's transaction ({urgent})")


@dataclass
class Stripe:
    """A Stripe that makes sessions, or fails as it is told to."""

    clock: Callable[[], datetime]
    trouble: VelvetError | None = None
    keys: list[str] = field(default_factory=list)
    sessions: dict[str, CheckoutSessionSnapshot] = field(default_factory=dict)

    async def gateway(self, account_id: int) -> StripeGateway:
        assert account_id
        return cast("StripeGateway", self)

    async def create_customer(self, request: CustomerRequest, key: str) -> CustomerSnapshot:
        assert key
        return CustomerSnapshot(
            id="cus_1", deleted=False, metadata=request.metadata, livemode=False
        )

    async def create_checkout_session(
        self, request: CheckoutRequest, key: str
    ) -> CheckoutSessionSnapshot:
        self.keys.append(key)
        if self.trouble is not None:
            raise self.trouble
        assert request.expires_at is not None
        life = request.expires_at - self.clock()
        if not timedelta(minutes=30) <= life <= timedelta(hours=24):
            raise Permanent("stripe_invalid_request", param="expires_at")
        session = CheckoutSessionSnapshot(
            id=f"cs_{key}",
            url=f"{LINK}{request.price_id}",
            status="open",
            mode=request.mode,
            payment_status="unpaid",
            customer=request.customer,
            subscription=None,
            payment_intent=None,
            client_reference_id=request.client_reference_id,
            metadata=request.metadata,
            expires_at=gallery.NOW + timedelta(hours=23),
            amount_total=900,
            currency="eur",
            created=gallery.NOW,
            livemode=False,
        )
        return self.sessions.setdefault(session.id, session)

    async def fetch_checkout_session(self, session: str) -> CheckoutSessionSnapshot:
        return self.sessions[session]

    async def create_portal_session(self, customer: str, return_url: str, *, language: str) -> str:
        assert customer
        assert return_url
        assert language
        if self.trouble is not None:
            raise self.trouble
        return "https://billing.example.com/p"


class House:
    """An integration in the database, a person, a Stripe, and the handlers before them."""

    def __init__(self) -> None:
        account = StripeAccount.objects.create(name="shop", from_environment=True)
        row = Integration.objects.create(
            name="club",
            stripe_account=account,
            token=Secret("1:token"),
            bot_id=1,
            bot_username="velvet_bot",
            webhook_secret=Secret("secret"),
            webhook_secret_hash="hash",
        )
        chat = Chat.objects.create(integration=row, telegram_id=-1001, title="Club")
        self.plan = Plan.objects.create(
            integration=row,
            stripe_price_id="price_1",
            product_name="Monthly",
            currency="eur",
            unit_amount=900,
            interval="month",
            sellable=True,
        )
        PlanChat.objects.create(plan=self.plan, chat=chat)
        catalogue = Catalogue()
        view = catalogue.view(row.id)
        assert view is not None
        self.desk = Desk(view)
        self.stripe = Stripe(self.clock)
        services = Services(
            db=Database(),
            catalogue=catalogue,
            clock=self.clock,
            stripe=self.stripe,
            bot=cast("Callable[[Secret], BotApi]", None),
            public_url="https://example.com",
            installation="test",
            stage=Stage(catalogue, dialect_of_database(), self.clock),
        )
        self.talk = cast("Handler[object]", ConversationHandler(services))
        self.late = cast("Handler[object]", SendLinkHandler(services))

    def clock(self) -> datetime:
        return self.desk.now

    def known(self, **fields: object) -> Customer:
        customer = self.desk.known(**fields)
        customer.save(force_insert=True)
        return customer

    def press(self, data: str | None = None) -> None:
        update = press(data or f"plan:{self.plan.id}")
        asyncio.run(self.desk.hear(self.talk, self.desk.event(update, kind="callback_query")))

    def try_job(self, event: Event) -> None:
        asyncio.run(self.desk.hear(self.late, event))

    def stored(self, *rows: Checkout) -> None:
        for row in rows:
            row.save(force_insert=True)
            self.desk.keep(row)

    def checkout(self, customer: Customer, state: CheckoutState) -> Checkout:
        return Checkout(
            customer_id=customer.id,
            plan_id=self.plan.id,
            stripe_session_id=f"cs_{state}",
            state=state.value,
            expires_at=gallery.NOW + timedelta(hours=1),
            created_at=gallery.NOW,
        )


@pytest.fixture
def house(database: str) -> House:  # noqa: ARG001  its rows lie there
    return House()


def test_a_plan_becomes_a_link_and_its_session_is_kept(house: House) -> None:
    house.press()
    (first, _), (second, said) = house.desk.said()
    assert (first, second) == ("answerCallbackQuery", "sendMessage")
    assert (said.buttons[0].text, said.buttons[0].url) == ("Pay €9.00", f"{LINK}price_1")
    [kept] = [row for row in house.desk.rows.values() if isinstance(row, Checkout)]
    assert (kept.plan_id, kept.state, kept.customer_id) == (
        house.plan.id,
        CheckoutState.OPEN.value,
        house.desk.person.id,
    )
    assert house.desk.person.stripe_customer_id == "cus_1"


def test_a_session_that_is_open_is_offered_again(house: House) -> None:
    house.known()
    house.press()
    kept = [row for row in house.desk.rows.values() if isinstance(row, Checkout)]
    for row in kept:
        row.save(force_insert=True)
    house.desk.said()
    house.press()
    assert house.desk.said()[1][1].buttons[0].url == f"{LINK}price_1"
    assert len(house.stripe.keys) == 1


@pytest.mark.parametrize("age", [timedelta(hours=22, minutes=40), timedelta(days=3)])
def test_a_wish_of_another_day_gets_a_link_that_is_open_today(house: House, age: timedelta) -> None:
    update = press(f"plan:{house.plan.id}")
    event = house.desk.event(update, kind="callback_query")
    house.desk.now += age
    asyncio.run(house.desk.hear(house.talk, event))
    [(_, said)] = house.desk.said()
    assert said.buttons[0].url == f"{LINK}price_1"
    assert house.desk.jobs == []


def test_who_holds_the_plan_sees_its_standing_and_stripe_is_not_asked(house: House) -> None:
    customer = house.known()
    house.desk.holding(customer, house.plan.id)
    for row in house.desk.rows.values():
        if row is not customer:
            row.save(force_insert=True)
    house.press()
    _, (_, said) = house.desk.said()
    assert said.text.startswith("You have this already:")
    assert "portal" in [button.callback_data for button in said.buttons]
    assert house.stripe.keys == []


def test_who_has_come_to_hold_the_plan_meanwhile_gets_no_second_link(house: House) -> None:
    house.desk.holding(house.known(), house.plan.id)  # in memory only: Stripe has been asked
    house.press()
    assert house.desk.text().startswith("You have this already:")


def test_money_on_its_way_is_not_asked_for_twice(house: House) -> None:
    house.stored(house.checkout(house.known(), CheckoutState.PENDING))
    house.press()
    assert house.desk.text().startswith("⏳ Your payment is on its way")
    assert house.stripe.keys == []


def test_a_plan_that_is_gone_or_no_longer_sold_shows_the_others(house: House) -> None:
    for data in (f"plan:{house.plan.id + 1}", "plan:0"):
        house.press(data)
        assert house.desk.text().startswith("This plan is no longer on sale.")
    house.plan.on_sale = False
    house.plan.save()
    house.press()
    assert house.desk.text().startswith("This plan is no longer on sale.")


def test_a_customer_manages_billing_and_a_stranger_has_none(house: House) -> None:
    house.press("portal")
    assert house.desk.text().startswith("There’s no billing to manage yet")
    customer = house.desk.person
    customer.stripe_customer_id = "cus_1"
    customer.save(force_insert=True)
    house.press("portal")
    assert house.desk.said()[1][1].buttons[0].url == "https://billing.example.com/p"


@pytest.mark.parametrize(
    ("trouble", "beginning"),
    [
        (RetryLater("stripe_unavailable"), "The payment page is taking its time."),
        (NeedsOperator("stripe_key_invalid"), "Sorry, payments are on hold"),
        (Permanent("stripe_invalid_request"), "Sorry, payments are on hold"),
    ],
)
def test_when_stripe_gives_no_link_the_person_hears_so_and_it_is_ordered(
    house: House, trouble: VelvetError, beginning: str
) -> None:
    house.stripe.trouble = trouble
    house.press()
    house.press()
    said = [one.text for method, one in house.desk.said() if method == "sendMessage"]
    assert all(text.startswith(beginning) for text in said)
    first, second = house.desk.jobs
    assert first.external_id == second.external_id  # which the inbox takes once
    assert (first.kind, first.lane) == (SEND_LINK, f"job:link:{house.desk.view.id}:{USER}")


def test_a_notice_of_delay_is_given_once_in_a_while(house: House) -> None:
    house.stripe.trouble = RetryLater("stripe_unavailable")
    for _ in range(2):
        house.press()
    occasions = [item.occasion for item in house.desk.items if item.occasion]
    assert len(occasions) == 2
    assert len(set(occasions)) == 1
    house.desk.now += timedelta(minutes=11)
    house.press()
    assert len({item.occasion for item in house.desk.items if item.occasion}) == 2


def ordered(house: House, data: str | None = None) -> Event:
    """Have a link ordered while Stripe is away, and bring Stripe back."""
    house.stripe.trouble = RetryLater("stripe_timeout", maybe_delivered=True)
    house.press(data)
    house.stripe.trouble = None
    house.desk.person.save(force_insert=True)
    house.desk.said()
    [job] = house.desk.jobs
    return job


def test_an_ordered_link_comes_from_the_same_session_as_the_lost_one(house: House) -> None:
    job = ordered(house)
    house.try_job(job)
    assert len(house.stripe.keys) == 2
    assert len(set(house.stripe.keys)) == 1
    [(_, said)] = house.desk.said()
    assert said.buttons[0].url == f"{LINK}price_1"


def test_a_link_is_tried_again_until_the_person_has_waited_too_long(house: House) -> None:
    job = ordered(house)
    house.stripe.trouble = RetryLater("stripe_unavailable")
    with pytest.raises(RetryLater):
        house.try_job(job)
    house.desk.now += timedelta(minutes=16)
    house.try_job(job)
    [(_, said)] = house.desk.said()
    assert said.text.startswith("The payment page can’t be reached")
    assert said.buttons[0].callback_data == f"plan:{house.plan.id}"


def test_the_last_try_tells_the_person_rather_than_nobody(house: House) -> None:
    job = ordered(house)
    house.stripe.trouble = RetryLater("stripe_unavailable")
    house.try_job(replace(job, attempts=5))
    assert house.desk.text().startswith("The payment page can’t be reached")


def test_trouble_for_an_operator_ends_where_operators_look(house: House) -> None:
    job = ordered(house)
    house.stripe.trouble = NeedsOperator("stripe_key_invalid")
    with pytest.raises(NeedsOperator):
        house.try_job(job)


def test_an_order_replayed_on_another_day_is_answered_with_a_button(house: House) -> None:
    job = ordered(house)
    house.desk.now += timedelta(hours=13)
    house.try_job(job)
    assert house.desk.text().startswith("The payment page can’t be reached")
    assert len(house.stripe.keys) == 1


def test_an_ordered_link_of_a_plan_that_was_bought_meanwhile_tells_the_standing(
    house: House,
) -> None:
    job = ordered(house)
    house.desk.holding(house.desk.person, house.plan.id)
    house.try_job(job)
    assert house.desk.text().startswith("You have this already:")


def test_a_portal_that_was_away_is_ordered_and_sent_too(house: House) -> None:
    customer = house.known(stripe_customer_id="cus_1")
    house.stripe.trouble = RetryLater("stripe_unavailable")
    house.press("portal")
    assert house.desk.text().startswith("The billing page is taking its time.")
    house.stripe.trouble = None
    [job] = house.desk.jobs
    house.try_job(job)
    assert house.desk.said()[0][1].buttons[0].url == "https://billing.example.com/p"
    house.desk.now += timedelta(hours=13)
    house.try_job(job)
    assert house.desk.text().startswith("The billing page can’t be reached")
    del house.desk.rows[Customer, customer.id]
    house.try_job(job)
    assert house.desk.said() == []


def test_words_other_than_links_never_reach_stripe(house: House) -> None:
    update = message("/plans")
    asyncio.run(house.desk.hear(house.talk, house.desk.event(update)))
    assert house.stripe.keys == []
