"""Alerts: opened once, told once, over when it is over; and whom they are told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.usecases.snapshots import ANN, NOW
from velvetrope.domain.errors import Permanent
from velvetrope.domain.states import ItemState
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import Alert, AuditEntry, Integration, OutboxItem, StripeAccount
from velvetrope.usecases import alert_hearers, alert_levels
from velvetrope.usecases.alert_telling import tell_alerts
from velvetrope.usecases.alerts import Trouble, close_alert, match_alerts, open_alert
from velvetrope.usecases.wording.alert_endings import ENDINGS
from velvetrope.usecases.wording.problems import PROBLEMS

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

OLGA = 501
URL = "https://example.com/admin/store/alert/"
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _olga_hears(room: Backroom) -> None:
    hears(room, OLGA)


def hears(room: Backroom, telegram_id: int | None) -> None:
    alert_hearers.hear(room.integration.id, telegram_id, "operator:olga", room.now)
    room.integration.refresh_from_db()


def opened(room: Backroom, code: str = "missing_rights", subject: str = "chat:1") -> bool:
    return open_alert(code, room.now, integration_id=room.integration.id, subject=subject)


def closed(room: Backroom, code: str = "missing_rights", subject: str = "chat:1") -> bool:
    return close_alert(code, room.now, integration_id=room.integration.id, subject=subject)


def told(room: Backroom) -> list[str]:
    """Run the telling; give the texts that are new, which then are through."""
    tell_alerts(room.now, URL)
    texts = room.texts()
    room.sent()
    return texts


def test_trouble_that_is_seen_again_and_again_is_told_once(room: Backroom) -> None:
    assert opened(room)
    assert not opened(room)
    (text,) = told(room)
    assert text.startswith("⚠️ <b>club</b>: The bot lacks rights in the chat.")
    assert text.endswith(URL)
    assert OutboxItem.objects.get().chat_id == OLGA
    assert not opened(room)
    assert told(room) == []


def test_its_end_is_told_once_to_those_who_heard_of_it(room: Backroom) -> None:
    opened(room)
    told(room)
    assert closed(room)
    assert not closed(room)
    (text,) = told(room)
    assert text.startswith("✅ <b>club</b>: mended.")
    assert told(room) == []


def test_what_was_over_before_anybody_heard_of_it_is_not_told(room: Backroom) -> None:
    opened(room)
    closed(room)
    assert told(room) == []


def test_values_that_change_meanwhile_are_kept(room: Backroom) -> None:
    opened(room)
    open_alert(
        "missing_rights",
        NOW,
        integration_id=room.integration.id,
        subject="chat:1",
        data={"rights": "can_invite_users"},
    )
    assert Alert.objects.get().data == {"rights": "can_invite_users"}
    assert "«Invite users via link»" in told(room)[0]


def test_trouble_that_comes_and_goes_is_told_once_an_hour(room: Backroom) -> None:
    texts = []
    for _ in range(10):
        opened(room)
        texts += told(room)
        closed(room)
        texts += told(room)
        room.later(timedelta(minutes=5))
    assert len(texts) == 2
    opened(room)
    room.later(HOUR)
    assert len(told(room)) == 1


def test_many_at_once_are_told_as_one(room: Backroom) -> None:
    for number in range(40):
        opened(room, subject=f"chat:{number}")
    opened(room, "price_archived", "plan:1")
    (text,) = told(room)
    assert "41 things need you" in text
    assert "(40×)" in text
    match_alerts({"missing_rights", "price_archived"}, [], NOW, integration_id=room.integration.id)
    (text,) = told(room)
    assert "41 things are mended" in text


def test_a_bot_that_cannot_speak_says_nothing_until_it_can(room: Backroom) -> None:
    opened(room, "bot_unauthorized", "")
    opened(room)
    assert told(room) == []
    assert Alert.objects.filter(told_at=None).count() == 2
    closed(room, "bot_unauthorized", "")
    (text,) = told(room)
    assert "rights" in text


def test_without_a_hearer_alerts_wait_for_one(room: Backroom) -> None:
    hears(room, None)
    opened(room)
    assert told(room) == []
    hears(room, OLGA)
    assert len(told(room)) == 1


def test_trouble_of_a_stripe_account_is_told_to_each_person_once(room: Backroom) -> None:
    for number, hearer in enumerate((OLGA, OLGA, 502, None)):
        twin(room, number, hearer)
    open_alert("stripe_key_invalid", NOW, stripe_account_id=room.account)
    tell_alerts(NOW, URL)
    assert sorted(row.chat_id for row in room.calls("sendMessage")) == [OLGA, 502]


def test_others_do_not_hear_of_it(room: Backroom) -> None:
    other = StripeAccount.objects.create(name="other", api_key=room.integration.token)
    twin(room, 1, 503, other)
    opened(room)
    open_alert("stripe_key_invalid", NOW, stripe_account_id=room.account)
    tell_alerts(NOW, URL)
    assert {row.chat_id for row in room.calls("sendMessage")} == {OLGA}


def twin(
    room: Backroom, number: int, hearer: int | None, account: StripeAccount | None = None
) -> None:
    row = Integration.objects.get(id=room.integration.id)
    row.pk, row.name, row.bot_id = None, f"twin {number}", 900 + number
    row.webhook_secret_hash, row.alerts_to = f"twin{number}", hearer
    row.stripe_account = account or row.stripe_account
    row.save(force_insert=True)


def test_whoever_cannot_be_written_to_is_shown_as_an_alert_of_its_own(room: Backroom) -> None:
    opened(room)
    tell_alerts(NOW, URL)
    room.failed(room.calls()[0], Permanent("blocked_by_user"), ItemState.SKIPPED)
    assert Alert.objects.get(code="alerts_unheard").data == {"reason": "blocked_by_user"}
    assert told(room) == []  # it is no use to tell the same person
    hears(room, 502)
    assert Alert.objects.get(code="alerts_unheard").closed_at is not None


def test_only_the_same_codes_are_matched(room: Backroom) -> None:
    key = room.integration.id
    opened(room)
    open_alert("dead_letters", NOW, integration_id=key)
    match_alerts({"missing_rights"}, [Trouble("missing_rights", "chat:2")], NOW, integration_id=key)
    rows = Alert.objects.filter(closed_at=None).values_list("code", "subject")
    assert set(rows) == {("dead_letters", ""), ("missing_rights", "chat:2")}


def test_every_code_that_follows_from_rows_tells_when_it_is_over() -> None:
    codes = alert_levels.OF_BOTS | alert_levels.OF_CHATS | alert_levels.OF_PLANS
    assert codes | alert_levels.OF_ACCOUNTS <= ENDINGS.keys() <= PROBLEMS.keys()


# Whom


def says(room: Backroom, text: str) -> str:
    room.update(
        "message",
        {
            "message_id": 5,
            "date": int(room.now.timestamp()),
            "chat": {"id": ANN, "type": "private"},
            "from": {"id": ANN, "is_bot": False, "first_name": "Ann", "language_code": "en"},
            "text": text,
        },
    )
    answer = room.texts()[-1]
    room.sent()
    return answer


@pytest.mark.parametrize("how", ["/alerts {}", "/start alerts-{}"])
def test_a_code_of_the_console_links_the_chat_it_is_sent_from(room: Backroom, how: str) -> None:
    code = alert_hearers.link_code(room.integration, room.now)
    assert "From now on you hear here" in says(room, how.format(code))
    room.integration.refresh_from_db()
    assert room.integration.alerts_to == ANN
    entry = AuditEntry.objects.filter(action="integration.alerts_to_changed").latest("id")
    assert (entry.actor, entry.after) == (f"telegram:{ANN}", {"alerts_to": ANN})
    assert "does not work any more" in says(room, how.format(code))


def test_a_code_holds_for_half_an_hour_at_most(room: Backroom) -> None:
    code = alert_hearers.link_code(room.integration, room.now)
    room.later(timedelta(minutes=31))
    assert "does not work any more" in says(room, f"/alerts {code}")
    room.integration.refresh_from_db()
    assert room.integration.alerts_to == OLGA


@pytest.mark.parametrize("text", ["/alerts", "/alerts on", "/alerts 000", "/alerts Ä" + "0" * 11])
def test_for_everybody_else_there_is_no_such_command(room: Backroom, text: str) -> None:
    assert says(room, text) == says(room, "/nonsense")


def test_a_code_of_one_bot_is_worth_nothing_at_another(room: Backroom) -> None:
    twin(room, 1, None)
    other = Integration.objects.get(name="twin 1")
    code = alert_hearers.link_code(other, room.now)
    assert "does not work any more" in says(room, f"/alerts {code}")


def test_an_operator_who_links_comes_from_nowhere(room: Backroom) -> None:
    room.ann.delete()
    code = alert_hearers.link_code(room.integration, room.now)
    says(room, f"/start alerts-{code}")
    assert room.integration.customer_set.get().source == ""


@pytest.mark.parametrize("number", [0, 2**52, -(2**60)])
def test_a_number_that_no_chat_has_is_refused(room: Backroom, number: int) -> None:
    with pytest.raises(Invalid):
        hears(room, number)
