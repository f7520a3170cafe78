"""Every code that an explanation may meet has words of its own, and unknown ones are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from velvetrope.domain.access import Reason
from velvetrope.domain.door import DoorAction
from velvetrope.domain.messages import MessageKind
from velvetrope.domain.states import (
    CheckoutState,
    EntitlementKind,
    EventOutcome,
    EventState,
    ItemState,
    Presence,
    Source,
)
from velvetrope.gateways.telegram.errors import UNREACHABLE

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

SRC = Path(__file__).parents[3] / "src" / "velvetrope"
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
CODE = re.compile(r"[a-z]+_[a-z_]+|[a-z]+\.[a-z]+")


@pytest.fixture
def terms(room: Backroom) -> Any:
    from velvetrope.usecases.explaining.terms import Terms  # noqa: PLC0415  Django is set up now

    return Terms(room.integration, NOW)


@pytest.fixture
def monthly(room: Backroom) -> int:
    type(room.monthly).objects.filter(id=room.monthly.id).update(product_name="Yoga")
    return room.monthly.id


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("kind", EntitlementKind)
def test_every_reason_has_a_phrase_for_every_kind_of_right(
    monthly: int, terms: Any, reason: Reason, kind: EntitlementKind
) -> None:
    from velvetrope.usecases.explaining.rights import (  # noqa: PLC0415  the same
        PHRASES,
        Ground,
        because,
    )

    assert reason in PHRASES
    statuses = ("active", "past_due", "canceled", "unpaid", "paused", "incomplete", "trialing")
    for status, until, holds in product(statuses, (None, NOW, NOW + timedelta(days=9)), (0, 1)):
        ground = Ground(
            kind=kind.value,
            plan_id=monthly,
            status=status,
            reason=reason.value,
            holds=bool(holds),
            until=until,
        )
        phrase = because(ground, terms)
        assert "«Yoga»" in phrase
        assert not CODE.search(phrase.replace("«past_due»", "")), phrase
        assert phrase[0].islower() or phrase.startswith("Stripe")


def test_an_unknown_reason_is_shown_as_it_is(monthly: int, terms: Any) -> None:
    from velvetrope.usecases.explaining.rights import Ground, because  # noqa: PLC0415  the same

    ground = Ground(kind="grant", plan_id=monthly, status="", reason="moonlight", holds=True)
    assert "«moonlight»" in because(ground, terms)


@pytest.mark.usefixtures("database")
def test_every_message_of_the_product_is_named_by_its_occasion() -> None:
    from velvetrope.usecases.explaining.said import (  # noqa: PLC0415  the same
        OCCASIONS,
        occasion_in_words,
    )

    found = set()
    for file in (SRC / "usecases").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        found |= set(re.findall(r'occasion\s*=\s*\(?f?"([a-z_]+):', text))
        found |= set(re.findall(r'_?again\("([a-z_]+)"', text))
    alerts = {"alert", "alerts"}  # to operators, who are no customers
    assert found - {*OCCASIONS} - alerts == set()
    assert "opened" in found
    for kind in MessageKind:
        assert kind.value not in occasion_in_words(f"due:{kind.value}:1:2:3") or "_" not in kind


@pytest.mark.usefixtures("database")
def test_a_message_of_an_unknown_occasion_is_named_by_it() -> None:
    from velvetrope.usecases.explaining.said import occasion_in_words  # noqa: PLC0415  the same

    assert occasion_in_words("moon_light:12:3") == "moon light"


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("occasion", "words"),
    [
        ("opened:sub_1", "payment received"),
        ("opened:grant:12", "given"),
        ("opened:sub_1:20270301T120000000001", "again"),
    ],
)
def test_the_opening_of_access_tells_how_it_came(occasion: str, words: str) -> None:
    from velvetrope.usecases.explaining.said import occasion_in_words  # noqa: PLC0415  the same

    assert words in occasion_in_words(occasion)


def test_every_kind_of_event_has_words(room: Backroom) -> None:
    from velvetrope.usecases.conversation.requests import Wish  # noqa: PLC0415  the same
    from velvetrope.usecases.explaining import told  # noqa: PLC0415  the same
    from velvetrope.usecases.pricing import PRICING_EVENTS  # noqa: PLC0415  the same

    kinds: dict[str, set[str]] = {}
    for source, kind in room.routes.handlers:
        kinds.setdefault(source, set()).add(kind)
    assert kinds[Source.STRIPE.value] - {*told.STRIPE} - {*PRICING_EVENTS} == set()
    assert kinds[Source.JOB.value] - {*told.JOBS} == set()
    assert kinds[Source.TELEGRAM.value] - {*told.UPDATES} == set()
    assert set(told.WISHES) == set(Wish)
    assert set(told.OUTCOMES) == set(EventOutcome)


@pytest.mark.usefixtures("database")
def test_every_state_of_rows_has_words() -> None:
    from velvetrope.store.models import InboxEvent  # noqa: PLC0415  the same
    from velvetrope.usecases.explaining import (  # noqa: PLC0415  the same
        places,
        recorded,
        said,
        timeline,
        told,
    )

    assert set(said.CALLS) == set(DoorAction)
    assert set(said.MESSAGES) == set(said.ANSWERS) == set(said.ASKED) == set(ItemState)
    assert set(timeline.DELIVERIES) == set(ItemState)
    assert set(timeline.PAGES) == set(CheckoutState)
    assert set(places.SEEN) == set(Presence)
    assert {to for to, _ in recorded.MOVES} == set(Presence)
    for state in EventState:
        row = InboxEvent(state=state.value, outcome="handled", error_code="stripe_unavailable")
        end, _ = told.end_of(row)
        assert (end == "") == (state is EventState.DONE)


@pytest.mark.usefixtures("database")
def test_every_problem_of_a_place_has_words() -> None:
    """Doors keep the codes of Telegram's refusals."""
    from velvetrope.usecases import membership, outcomes  # noqa: PLC0415  the same
    from velvetrope.usecases.explaining.places import HELD  # noqa: PLC0415  the same
    from velvetrope.usecases.wording.problems import PROBLEMS  # noqa: PLC0415  the same

    codes = (
        membership.PASSING_TROUBLE
        | membership.LASTING_TROUBLE
        | UNREACHABLE
        | outcomes.REQUEST_GONE
        | outcomes.CHAT_TROUBLE
        | outcomes.BOT_TROUBLE
    )
    assert codes - set(PROBLEMS) - HELD == set()


@pytest.mark.usefixtures("database")
def test_everything_on_record_of_a_customer_has_words() -> None:
    from velvetrope.usecases import chronicle  # noqa: PLC0415  the same
    from velvetrope.usecases.explaining import recorded  # noqa: PLC0415  the same

    known = {*recorded.ORDERS, *recorded.REMARKS}
    known |= {chronicle.RIGHT, chronicle.PLACE, chronicle.PERSON}
    found = set()
    call = re.compile(
        r'(?:audit|record)\(\s*(?:actor,\s*)?f?"([a-z_.{}()"\']+)",\s*'
        r'subject="(customer|access|entitlement)"'
    )
    for file in (SRC / "usecases").rglob("*.py"):
        found |= {action for action, _ in call.findall(file.read_text(encoding="utf-8"))}
    assert {one for one in found if "{" not in one} - known == set()
    assert "grant.ordered" in found
    assert {f"member.{kind}_ordered" for kind in ("sync", "reinvite", "message")} <= known
