"""The link for members from before: a place is kept for who opens it from inside, and in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.usecases.backroom import Backroom
from tests.usecases.snapshots import ANN, LOUNGE, NOW, VAULT
from velvetrope.domain.errors import NeedsOperator, RetryLater
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import Access, AuditEntry, Customer, Entitlement, OutboxItem, Plan
from velvetrope.store.revisions import touch
from velvetrope.usecases import operations
from velvetrope.usecases.operations import claims

ACTOR = "operator:anna"
DEADLINE = NOW + timedelta(days=30)
NEW = 31


class Door(Backroom):
    """A backroom whose bot is spoken to."""

    def opens_link(self, person: int = ANN, payload: str = "claim") -> str:
        """Have a person open the link; gives what they read."""
        body = {
            "message_id": 5,
            "date": int(self.now.timestamp()),
            "chat": {"id": person, "type": "private"},
            "from": {"id": person, "is_bot": False, "first_name": "Ann", "language_code": "en"},
            "text": f"/start {payload}",
        }
        self.update("message", body, person)
        said = self.texts()[-1]
        self.sent()
        return said

    def opened(self) -> None:
        claims.set_claim_deadline(self.integration.pk, DEADLINE, ACTOR)
        self.run_jobs()

    def claims(self) -> list[tuple[int, str]]:
        rows = Entitlement.objects.filter(kind="claim").order_by("id")
        return [(row.customer.telegram_user_id, row.plan.stripe_price_id) for row in rows]


@pytest.fixture
def door(database: object) -> Door:  # noqa: ARG001  must exist first
    return Door()


def test_who_opens_the_link_from_inside_keeps_the_place_until_the_deadline(door: Door) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, NEW] = "member"
    said = door.opens_link(NEW)
    assert "Your place is kept" in said
    assert "Subscribe to stay" in said
    assert door.claims() == [(NEW, "price_month")]
    held = Entitlement.objects.get()
    assert (held.period_end, held.holds) == (DEADLINE, True)
    access = Access.objects.get(chat=door.lounge)
    assert access.let_in_at is not None
    assert Customer.objects.get(telegram_user_id=NEW).source == "claim"


def test_who_is_outside_sees_the_plans_as_ever(door: Door) -> None:
    door.opened()
    said = door.opens_link(NEW)
    assert "place is kept" not in said
    assert "price_month" in said
    assert door.claims() == []


@pytest.mark.parametrize("status", ["administrator", "creator"])
def test_owner_and_administrators_are_not_touched(door: Door, status: str) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, NEW] = status
    assert "place is kept" not in door.opens_link(NEW)
    assert door.claims() == []
    assert not Access.objects.filter(let_in_at__isnull=False).exists()


def test_closed_or_over_the_link_means_nothing(door: Door) -> None:
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opens_link()
    door.opened()
    claims.set_claim_deadline(door.integration.pk, None, ACTOR)
    door.opens_link()
    door.opened()
    door.now = DEADLINE
    door.opens_link()
    assert door.claims() == []
    assert "getChatMember" not in door.bot.called


def test_a_claim_opens_only_what_the_person_is_in(door: Door) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.bot.statuses[LOUNGE, NEW] = door.bot.statuses[VAULT, NEW] = "member"
    door.opens_link()
    door.opens_link(NEW)
    assert door.claims() == [(ANN, "price_month"), (NEW, "price_vip")]


def test_nobody_is_taken_over_in_a_chat_that_no_plan_opens_for_them(door: Door) -> None:
    Plan.objects.filter(id=door.vip.pk).update(sellable=False)
    touch([door.integration.pk])
    door.opened()
    door.bot.statuses[LOUNGE, NEW] = door.bot.statuses[VAULT, NEW] = "member"
    door.opens_link(NEW)
    assert door.claims() == [(NEW, "price_month")]
    assert not Access.objects.filter(chat=door.vault, let_in_at__isnull=False).exists()
    assert "unbanChatMember" not in OutboxItem.objects.values_list("method", flat=True)


def test_opened_again_it_says_the_same_and_changes_nothing(door: Door) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    assert door.opens_link() == door.opens_link()
    assert len(door.claims()) == 1


def test_a_later_deadline_is_taken_by_opening_it_again_and_an_earlier_one_is_not(
    door: Door,
) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opens_link()
    for days, kept in ((60, 60), (10, 60)):
        until = NOW + timedelta(days=days)
        claims.set_claim_deadline(door.integration.pk, until, ACTOR)
        door.opens_link()
        assert Entitlement.objects.get().period_end == NOW + timedelta(days=kept)


def test_whom_the_product_let_in_gets_no_time_for_nothing(door: Door) -> None:
    door.subscribes()
    door.enters()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opened()
    said = door.opens_link()
    assert "Next payment" in said
    assert door.claims() == []


def test_who_has_claimed_one_chat_and_bought_another_gets_no_time_in_that_for_nothing(
    door: Door,
) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opens_link()
    door.subscribes(price_ids=("price_vip",))
    door.enters(VAULT)
    door.bot.statuses[VAULT, ANN] = "member"
    door.opens_link()
    assert door.claims() == [(ANN, "price_month")]


def test_who_pays_already_is_taken_over_and_not_asked_to_pay(door: Door) -> None:
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.subscribes()
    door.sent()
    assert door.access().let_in_at is None
    door.opened()
    said = door.opens_link()
    assert "place is kept" not in said
    assert "Next payment" in said
    assert door.access().let_in_at is not None


def test_a_claim_that_was_revoked_is_not_had_again(door: Door) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opens_link()
    operations.revoke(Entitlement.objects.get().pk, "", ACTOR)
    door.run_jobs()
    door.sent()
    assert "place is kept" not in door.opens_link()
    assert not Entitlement.objects.get().holds


def test_passing_trouble_is_waited_for_but_not_for_ever(door: Door) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.bot.trouble["getChatMember"] = RetryLater("telegram_unavailable")
    with pytest.raises(RetryLater):
        door.opens_link()
    door.bot.trouble["getChatMember"] = NeedsOperator("missing_rights")
    assert "place is kept" not in door.opens_link()
    assert door.claims() == []


def test_another_payload_is_an_ordinary_start(door: Door) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opens_link(payload="claims")
    assert door.claims() == []


def test_the_end_is_told_with_the_way_to_stay(door: Door) -> None:
    door.opened()
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opens_link()
    said = door.opens_link(payload="")
    assert "Access ends" in said
    assert "Subscribe to stay" in said


def test_opening_and_closing_is_on_record_and_counts_the_members(door: Door) -> None:
    door.bot.statuses[LOUNGE, ANN] = "member"
    door.opened()
    assert not claims.set_claim_deadline(door.integration.pk, DEADLINE, ACTOR)
    assert AuditEntry.objects.get(action="claims.opened").actor == ACTOR
    with pytest.raises(Invalid):
        claims.set_claim_deadline(door.integration.pk, NOW - timedelta(days=9000), ACTOR)
    lounge, vault = claims.preview_claims(door.integration)
    assert (lounge.numbers.from_before, lounge.covered, lounge.brake) == (1, True, 5)
    assert vault.covered


def test_the_post_names_day_and_link_in_each_language(door: Door) -> None:
    posts = claims.claim_posts(door.integration, DEADLINE)
    assert set(posts) == {"en", "uk", "ru"}
    for post in posts.values():
        assert "https://t.me/rope_bot?start=claim" in post
        assert str(DEADLINE.year) in post
        assert "<" not in post


def test_an_ordinary_start_asks_telegram_for_nothing(door: Door) -> None:
    door.opened()
    door.bot.called.clear()
    door.opens_link(payload="")
    assert door.bot.called == []
