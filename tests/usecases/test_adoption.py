"""Members from before: listed by an operator, looked for, adopted; nobody else is touched."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.backroom import Backroom
from tests.usecases.snapshots import ANN, LOUNGE, NOW, VAULT
from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import (
    Access,
    Adoption,
    AdoptionRow,
    AuditEntry,
    Customer,
    Entitlement,
    InboxEvent,
    OutboxItem,
)
from velvetrope.usecases import operations
from velvetrope.usecases.adoption.numbers import count_chats
from velvetrope.usecases.operations import member_lists

if TYPE_CHECKING:
    from velvetrope.domain.members_list import MembersList

pytestmark = pytest.mark.both_databases

ACTOR = "operator:anna"
DEADLINE = datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)


class Office(Backroom):
    """A backroom where an operator has lists."""

    def inside(self, *people: int, chat: int = LOUNGE, status: str = "member") -> None:
        for person in people:
            self.bot.statuses[chat, person] = status

    def listed(
        self, text: str, *, until: datetime | None = DEADLINE, comp: bool = False
    ) -> Adoption:
        """Take a list up and have everybody looked for."""
        terms = member_lists.list_terms(
            self.integration, self.monthly, [], None if comp else until, comp=comp
        )
        found = member_lists.read_members(io.BytesIO(text.encode()), terms)
        assert list(found.mistakes) == []
        adoption = member_lists.start_adoption(terms, found, ACTOR)
        self.work_through()
        adoption.refresh_from_db()
        return adoption

    def adopted(
        self, text: str, *, until: datetime | None = DEADLINE, comp: bool = False
    ) -> Adoption:
        """Take a list all the way."""
        adoption = self.listed(text, until=until, comp=comp)
        assert member_lists.confirm_adoption(adoption.pk, ACTOR)
        self.work_through()
        adoption.refresh_from_db()
        return adoption

    def work_through(self) -> None:
        while self.run_jobs():
            self.later(timedelta(seconds=1))

    def holder(self, person: int) -> Entitlement:
        return Entitlement.objects.get(customer__telegram_user_id=person)


@pytest.fixture
def office(database: object) -> Office:  # noqa: ARG001  must exist first
    return Office()


def outcomes(adoption: Adoption) -> dict[str, int]:
    return {name: number for name, number in adoption.numbers["outcomes"].items() if number}


def test_a_list_is_looked_at_without_touching_anybody(office: Office) -> None:
    office.inside(ANN, 11, 12)
    office.inside(13, status="administrator")
    office.inside(14, status="creator")
    adoption = office.listed("\n".join(["user_id", str(ANN), "11", "12", "13", "14", "15"]))
    assert adoption.state == "ready"
    numbers = adoption.numbers
    assert (numbers["people"], numbers["new"], numbers["known"]) == (6, 5, 1)
    assert (numbers["inside"], numbers["outside"], numbers["keeper"]) == (3, 1, 2)
    assert (numbers["concerned"], numbers["reachable"], numbers["unreachable"]) == (3, 1, 2)
    assert (numbers["together"], numbers["together_at"]) == (3, DEADLINE.isoformat())
    assert Customer.objects.count() == 1
    assert not Entitlement.objects.exists()
    assert not Access.objects.exists()
    assert not OutboxItem.objects.exists()


def test_members_inside_are_adopted_and_nobody_else(office: Office) -> None:
    office.inside(ANN, 11)
    office.inside(13, status="administrator")
    adoption = office.adopted(f"user_id;note\n{ANN};x\n11;pays by bank\n13;\n15;\n")
    assert adoption.state == "done"
    assert outcomes(adoption) == {"adopted": 2, "keeper": 1, "outside": 1}
    assert not AdoptionRow.objects.exists()
    people = Customer.objects.order_by("telegram_user_id")
    assert sorted(people.values_list("telegram_user_id", flat=True)) == sorted([ANN, 11])
    new = people.get(telegram_user_id=11)
    assert new.started_at is None
    held = office.holder(11)
    assert (held.kind, held.holds, held.period_end) == ("claim", True, DEADLINE)
    assert held.note == "pays by bank"
    access = Access.objects.get(customer=new)
    assert (access.observed, access.desired, access.let_in_at is None) == ("inside", True, False)
    entry = AuditEntry.objects.get(action="adoption.confirmed")
    assert entry.actor == ACTOR


def test_only_who_can_be_told_is_told_and_only_once(office: Office) -> None:
    office.inside(ANN, 11)
    text = f"user_id\n{ANN}\n11\n"
    office.adopted(text)
    (said,) = office.calls("sendMessage")
    assert said.chat_id == ANN
    assert "Your place is kept" in office.texts()[0]
    assert "31 December 2027" in office.texts()[0]
    office.sent()
    again = office.adopted(text)
    assert outcomes(again) == {"unchanged": 2}
    assert office.calls() == []
    assert Entitlement.objects.count() == 2


def test_at_night_nobody_is_told_before_the_morning(office: Office) -> None:
    office.inside(ANN)
    office.now = office.now.replace(hour=23)
    office.adopted(f"user_id\n{ANN}\n")
    assert office.holder(ANN).holds
    assert office.calls("sendMessage") == []
    office.later(timedelta(hours=11))
    office.run_jobs()
    assert "Your place is kept" in office.texts()[0]


def test_who_has_subscribed_before_the_morning_is_not_asked_to(office: Office) -> None:
    office.inside(ANN)
    office.now = office.now.replace(hour=23)
    office.adopted(f"user_id\n{ANN}\n")
    office.subscribes()
    office.sent()
    office.later(timedelta(hours=11))
    office.run_jobs()
    assert office.calls("sendMessage") == []


def test_an_operator_may_keep_the_bot_from_telling(office: Office) -> None:
    office.integration.reminders = {"place_kept": False}
    office.integration.save()
    office.inside(ANN)
    office.adopted(f"user_id\n{ANN}\n")
    assert office.calls("sendMessage") == []


def test_another_day_moves_the_end(office: Office) -> None:
    office.inside(11)
    office.adopted("user_id\n11\n")
    changed = office.adopted("user_id,until\n11,2028-01-31\n")
    assert outcomes(changed) == {"changed": 1}
    assert office.holder(11).period_end == datetime(2028, 1, 31, 23, 59, 59, tzinfo=UTC)


def test_a_day_of_their_own_holds_wherever_the_person_is(office: Office) -> None:
    adoption = office.adopted("user_id,until\n11,2028-01-31\n12,\n")
    assert outcomes(adoption) == {"given": 1, "outside": 1}
    office.asks(person=11)
    assert office.methods() == ["approveChatJoinRequest"]


def test_friends_stay_for_ever_and_are_not_asked_to_pay(office: Office) -> None:
    office.inside(ANN)
    adoption = office.adopted(f"user_id\n{ANN}\n", comp=True)
    assert outcomes(adoption) == {"adopted": 1}
    held = office.holder(ANN)
    assert (held.kind, held.period_end) == ("grant", None)
    (said,) = office.texts()
    assert "given access" in said
    office.sent()
    office.later(timedelta(days=3000))
    office.sweep()
    assert office.calls() == []


def test_a_claim_that_lapses_lets_the_person_out(office: Office) -> None:
    office.inside(ANN)
    office.adopted(f"user_id\n{ANN}\n")
    office.sent()
    office.now = DEADLINE - timedelta(minutes=1)
    office.sweep()
    assert "unbanChatMember" not in office.methods()
    office.now = DEADLINE + timedelta(minutes=1)
    office.sweep()
    assert "unbanChatMember" in office.methods()


def test_a_subscription_overlaps_with_the_claim_and_its_end_changes_nothing(
    office: Office,
) -> None:
    office.inside(ANN)
    office.adopted(f"user_id\n{ANN}\n")
    office.sent()
    far = DEADLINE + timedelta(days=90)
    office.subscribes(current_period_end=far)
    (welcome,) = office.texts()
    assert "nothing more to do" in welcome
    assert not [row for row in office.calls("sendMessage") if b"invite:" in bytes(row.params)]
    office.sent()
    office.now = DEADLINE + timedelta(minutes=1)
    office.sweep()
    assert office.right(f"claim:{office.ann.pk}:{office.monthly.pk}").holds is False
    assert office.access().desired
    assert "unbanChatMember" not in office.methods()


def test_whoever_claims_may_buy_the_very_plan(office: Office) -> None:
    office.inside(ANN)
    office.adopted(f"user_id\n{ANN}\n")
    office.sent()
    office.presses(f"plan:{office.monthly.pk}")
    said = office.texts()[-1]
    assert "already" not in said
    assert office.stripe.sessions


def test_what_an_operator_revoked_stays_so(office: Office) -> None:
    office.inside(ANN)
    text = f"user_id\n{ANN}\n"
    office.adopted(text)
    operations.revoke(office.holder(ANN).pk, "", ACTOR)
    office.run_jobs()
    assert not office.holder(ANN).holds
    assert outcomes(office.adopted(text)) == {"revoked": 1}
    assert not office.holder(ANN).holds


def test_who_left_between_the_look_and_the_word_is_not_adopted(office: Office) -> None:
    office.inside(11, 12)
    adoption = office.listed("user_id\n11\n12\n")
    office.inside(12, status="left")
    member_lists.confirm_adoption(adoption.pk, ACTOR)
    office.work_through()
    adoption.refresh_from_db()
    assert outcomes(adoption) == {"adopted": 1, "outside": 1}


def test_nobody_is_watched_where_the_plan_opens_nothing(office: Office) -> None:
    office.inside(11)
    office.inside(11, chat=VAULT)
    office.adopted("user_id\n11\n")
    assert [row.chat_id for row in Access.objects.all()] == [office.lounge.pk]
    with pytest.raises(Invalid):
        member_lists.list_terms(office.integration, office.monthly, [office.vault], DEADLINE)


def test_while_telegram_cannot_be_asked_nobody_is_counted_as_outside(office: Office) -> None:
    office.bot.trouble["getChatMember"] = RetryLater("telegram_unavailable")
    with pytest.raises(RetryLater):
        office.listed("user_id\n11\n")
    assert AdoptionRow.objects.get().place == ""


def test_whom_telegram_does_not_know_is_left_alone(office: Office) -> None:
    office.bot.trouble["getChatMember"] = Permanent("bad_request")
    adoption = office.adopted("user_id\n11\n")
    assert outcomes(adoption) == {"unknown": 1}
    assert not Entitlement.objects.exists()


def test_the_same_list_goes_on_where_it_was(office: Office) -> None:
    office.inside(*range(100, 160))
    text = "user_id\n" + "".join(f"{person}\n" for person in range(100, 160))
    terms = member_lists.list_terms(office.integration, office.monthly, [], DEADLINE)
    first = member_lists.start_adoption(terms, read(text, terms), ACTOR)
    office.run_jobs()
    assert member_lists.progress_of(first) == (20, 60)
    again = member_lists.start_adoption(terms, read(text, terms), ACTOR)
    assert again.pk == first.pk
    assert office.bot.called.count("getChatMember") == 20
    office.later(timedelta(seconds=1))
    office.work_through()
    assert office.bot.called.count("getChatMember") == 60


def read(text: str, terms: member_lists.ListTerms) -> MembersList:
    return member_lists.read_members(io.BytesIO(text.encode()), terms)


def test_a_list_that_was_not_confirmed_can_be_given_up(office: Office) -> None:
    adoption = office.listed("user_id\n11\n")
    assert member_lists.discard_adoption(adoption.pk)
    assert not Adoption.objects.exists()
    assert not member_lists.discard_adoption(adoption.pk)


def test_a_list_that_nobody_decides_about_is_forgotten_after_a_week(office: Office) -> None:
    office.inside(11)
    kept = office.adopted("user_id\n11\n")
    undecided = office.listed("user_id\n12\n")
    Adoption.objects.filter(pk=undecided.pk).update(created_at=office.now)
    office.later(timedelta(days=6))
    office.sweep()
    assert Adoption.objects.count() == 2
    office.later(timedelta(days=2))
    office.sweep()
    assert [one.pk for one in Adoption.objects.all()] == [kept.pk]
    assert not AdoptionRow.objects.exists()


def test_what_keeps_a_list_from_going_on_is_named(office: Office) -> None:
    office.inside(11)
    adoption = office.listed("user_id\n11\n")
    assert member_lists.trouble_of(adoption) == ""
    member_lists.confirm_adoption(adoption.pk, ACTOR)
    office.bot.trouble["getChatMember"] = NeedsOperator("missing_rights")
    with pytest.raises(NeedsOperator):
        office.work_through()
    InboxEvent.objects.filter(kind="adopt").update(state="dead", error_code="missing_rights")
    assert member_lists.trouble_of(adoption) == "missing_rights"


def test_members_are_counted_as_telegram_does(office: Office) -> None:
    office.inside(ANN, 11, 12)
    office.adopted("user_id\n11\n")
    office.sweep()
    (lounge, vault) = count_chats(office.integration.pk)
    assert (lounge.chat.member_count, lounge.known, lounge.from_before) == (3, 1, 2)
    assert (vault.chat.member_count, vault.from_before) == (0, 0)
    assert lounge.chat.counted_at is not None
    assert lounge.chat.counted_at >= NOW
