from __future__ import annotations

import itertools
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.processes import eventually, free_port
from tests.sandbox.telegram.place import ALL_UPDATES, Place, Refusal
from tests.sandbox.telegram.receiver import Answer, Got, Receiver

if TYPE_CHECKING:
    from tests.processes import Sandbox

#: Shortens the waits between attempts: 2, 4, 8 … s become 20, 40, 80 … ms.
FAST = 0.01


def say(place: Place, *texts: str, person: int | None = None) -> None:
    for text in texts:
        place.do(person or place.ann, "messages", bot=place.username, text=text)


def connect(place: Place, receiver: Receiver, **params: object) -> None:
    place.faults(webhook_pace=False)
    place.call("setWebhook", url=receiver.url, **params)


def info(place: Place) -> Any:
    return place.call("getWebhookInfo")


def attempts(place: Place) -> list[Any]:
    shown = place.phone.get("/control/deliveries").json()["deliveries"]
    return [one for one in shown if one["bot"] == place.bot_id]


def test_an_update_carries_the_secret_and_a_growing_id(place: Place, receiver: Receiver) -> None:
    connect(place, receiver, secret_token="s3cret_-", drop_pending_updates=True)
    say(place, "one", "two")
    first, second = receiver.wait(2)
    assert first.secret == second.secret == "s3cret_-"
    assert second.id == first.id + 1
    assert first.update["message"]["from"]["language_code"] == "en"


def test_without_a_secret_there_is_no_header(place: Place, receiver: Receiver) -> None:
    connect(place, receiver)
    say(place, "one")
    assert receiver.wait(1)[0].secret is None


@pytest.mark.parametrize("secret", ["", "has space", "ключ", "x" * 257])
def test_a_secret_of_other_letters_is_refused(place: Place, secret: str) -> None:
    expected = Refusal(400, "Bad Request: secret token contains unallowed characters")
    given = {"url": "https://example.com/hook", "secret_token": secret}
    assert place.refusal("setWebhook", **given) == expected


@pytest.mark.parametrize(
    "url", ["http://example.com/x", "ftp://example.com", "example.com", "https://example.com:8000"]
)
def test_an_address_must_be_https_on_a_known_port_or_near(place: Place, url: str) -> None:
    answer = place.refusal("setWebhook", url=url)
    assert answer.status == 400
    assert answer.description.startswith("Bad Request: bad webhook: ")


def test_updates_wait_for_a_webhook_and_come_in_order(place: Place, receiver: Receiver) -> None:
    say(place, "one", "two", "three")
    assert info(place)["pending_update_count"] >= 3
    connect(place, receiver)
    got = receiver.wait(4)
    assert [one.text for one in got if one.kind == "message"] == ["one", "two", "three"]
    eventually(lambda: info(place)["pending_update_count"] == 0)


def test_pending_updates_can_be_dropped(place: Place, receiver: Receiver) -> None:
    say(place, "one")
    connect(place, receiver, drop_pending_updates=True)
    say(place, "two")
    assert [one.text for one in receiver.wait(1)] == ["two"]


def test_chat_member_is_told_only_if_asked_for(place: Place, receiver: Receiver) -> None:
    connect(place, receiver, drop_pending_updates=True)
    place.put_member(place.ann, status="member")
    say(place, "one")
    assert [one.kind for one in receiver.wait(1)] == ["message"]
    assert "allowed_updates" not in info(place)
    connect(place, receiver, allowed_updates=[*ALL_UPDATES, "future_kind"])
    place.put_member(place.ann, status="left")
    assert receiver.wait(2)[1].kind == "chat_member"
    connect(place, receiver)
    assert info(place)["allowed_updates"] == ALL_UPDATES


def test_a_refused_update_is_tried_at_once_and_then_with_growing_waits(
    place: Place, receiver: Receiver
) -> None:
    place.faults(retry_scale=0.05)
    receiver.answers.extend([Answer(500), Answer(302), Answer(404), Answer(503)])
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one", "two")
    got = receiver.wait(6)
    assert [one.text for one in got] == ["one"] * 5 + ["two"]
    assert len({one.id for one in got[:5]}) == 1
    waits = [later.at - sooner.at for sooner, later in itertools.pairwise(got[:5])]
    assert waits[0] < 0.09
    for wait, least in zip(waits[1:], (0.1, 0.2, 0.4), strict=True):
        assert least <= wait < least + 0.3
    eventually(lambda: len(attempts(place)) == 6)
    assert [(one["attempt"], one["status"]) for one in attempts(place)] == [
        (1, 500),
        (2, 302),
        (3, 404),
        (4, 503),
        (5, 200),
        (1, 200),
    ]
    assert info(place)["last_error_message"].startswith("Wrong response from the webhook: 503")


def test_retry_after_is_waited_for(place: Place, receiver: Receiver) -> None:
    place.faults(retry_scale=0.1)
    receiver.answers.append(Answer(503, headers={"Retry-After": "4"}))
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one")
    first, second = receiver.wait(2)
    assert 0.4 <= second.at - first.at < 0.9


def test_a_webhook_that_is_down_is_told_when_it_is_back(place: Place, receiver: Receiver) -> None:
    place.faults(retry_scale=FAST, webhook_pace=False)
    down = f"http://127.0.0.1:{free_port()}/hook"
    place.call("setWebhook", url=down, drop_pending_updates=True)
    say(place, "one")
    eventually(lambda: len(attempts(place)) >= 2)
    assert {one["error"] for one in attempts(place)} == {"Connection refused"}
    assert info(place)["last_error_message"] == "Connection refused"
    connect(place, receiver)
    assert receiver.wait(1)[0].text == "one"


def test_a_slow_webhook_counts_as_failed(place: Place, receiver: Receiver) -> None:
    place.faults(webhook_timeout=0.1, retry_scale=FAST)
    gate = threading.Event()
    receiver.answers.append(Answer(gate=gate))
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one")
    receiver.wait(2)
    gate.set()
    eventually(lambda: info(place)["pending_update_count"] == 0)
    assert attempts(place)[0]["error"] == "Read timeout expired"


def test_a_failing_update_holds_up_its_own_queue_only(place: Place, receiver: Receiver) -> None:
    place.faults(retry_scale=0.02)
    bea = place.new_person("Bea")
    held = threading.Event()

    def plan(got: Got) -> Answer | None:
        stuck = got.kind == "message" and got.text == "stuck" and not held.is_set()
        return Answer(500) if stuck else None

    receiver.plan = plan
    connect(place, receiver, drop_pending_updates=True)
    say(place, "stuck", "after")
    say(place, "free", person=bea)
    eventually(lambda: any(one.text == "free" for one in receiver.got))
    assert not any(one.text == "after" for one in receiver.got)
    held.set()
    eventually(lambda: any(one.text == "after" for one in receiver.got))
    texts = [one.text for one in receiver.got]
    assert texts.index("after") > max(at for at, text in enumerate(texts) if text == "stuck")


def test_presses_and_messages_are_different_queues(place: Place, receiver: Receiver) -> None:
    gate = threading.Event()
    receiver.plan = lambda got: Answer(gate=gate) if got.kind == "message" else None
    connect(place, receiver, drop_pending_updates=True)
    place.start()
    markup = {"inline_keyboard": [[{"text": "a", "callback_data": "x"}]]}
    sent = place.call("sendMessage", chat_id=place.ann, text="x", reply_markup=markup)
    press = {"bot": place.username, "message_id": sent["message_id"], "data": "x", "wait": 0}
    place.do(place.ann, "callbacks", **press)
    place.do(place.ann, "callbacks", **press)
    receiver.wait(3)
    gate.set()
    assert [one.kind for one in receiver.got].count("callback_query") == 2


def test_no_more_than_max_connections_are_open(place: Place, receiver: Receiver) -> None:
    gate = threading.Event()
    receiver.plan = lambda _got: Answer(gate=gate)
    connect(place, receiver, drop_pending_updates=True, max_connections=2)
    people = [place.new_person(f"P{number}") for number in range(4)]
    for person in people:
        say(place, "hi", person=person)
    receiver.wait(2)
    assert info(place)["pending_update_count"] == 4
    assert len(receiver.got) == 2
    gate.set()
    receiver.wait(4)


def test_an_update_expires(sandbox: Sandbox, place: Place, receiver: Receiver) -> None:
    say(place, "old")
    sandbox.stripe.post("/control/clock", json={"seconds": 86_401})
    say(place, "new")
    connect(place, receiver)
    assert receiver.wait(1)[0].text == "new"


def test_duplicates_come_at_the_same_time_with_the_same_id(
    place: Place, receiver: Receiver
) -> None:
    place.faults(duplicates=3)
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one", "two")
    got = receiver.wait(6)
    assert [one.text for one in got] == ["one"] * 3 + ["two"] * 3
    assert len({one.id for one in got}) == 2


def test_shuffled_updates_overtake_each_other(place: Place, receiver: Receiver) -> None:
    place.faults(shuffle=0.3, seed=7)
    connect(place, receiver, drop_pending_updates=True)
    texts = [str(number) for number in range(12)]
    say(place, *texts)
    got = [one.text for one in receiver.wait(12)]
    assert sorted(got) == sorted(texts)
    assert got != texts


def test_deliveries_can_be_held(place: Place, receiver: Receiver) -> None:
    place.faults(hold=True)
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one")
    assert info(place)["pending_update_count"] == 1
    assert receiver.got == []
    place.faults(hold=False)
    receiver.wait(1)


def test_a_method_in_the_webhooks_answer_is_done(place: Place, receiver: Receiver) -> None:
    body = {"method": "sendMessage", "chat_id": place.ann, "text": "from the answer"}
    headers = {"Content-Type": "application/json"}
    receiver.answers.append(Answer(body=json.dumps(body).encode(), headers=headers))
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one")
    eventually(lambda: place.dialog(place.ann)["messages"][-1]["text"] == "from the answer")
    calls = place.phone.get("/control/calls").json()["calls"]
    (call,) = [one for one in calls if one.get("via_webhook") and one["bot"] == place.bot_id]
    assert (call["method"], call["status"]) == ("sendMessage", 200)


def test_webhook_methods_in_an_answer_are_ignored(place: Place, receiver: Receiver) -> None:
    body = {"method": "deleteWebhook"}
    headers = {"Content-Type": "application/json"}
    receiver.answers.append(Answer(body=json.dumps(body).encode(), headers=headers))
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one", "two")
    receiver.wait(2)
    assert info(place)["url"] == receiver.url


def test_a_webhook_that_says_it_is_gone_for_23_hours_is_removed(
    sandbox: Sandbox, place: Place, receiver: Receiver
) -> None:
    place.faults(retry_scale=FAST)
    receiver.plan = lambda _got: Answer(410)
    connect(place, receiver, drop_pending_updates=True)
    say(place, "one")
    receiver.wait(2)
    assert info(place)["url"] == receiver.url
    sandbox.stripe.post("/control/clock", json={"seconds": 23 * 3600 + 60})
    eventually(lambda: info(place)["url"] == "")


def test_a_deleted_webhook_hears_nothing(place: Place, receiver: Receiver) -> None:
    connect(place, receiver, drop_pending_updates=True)
    place.call("deleteWebhook")
    say(place, "one")
    shown = info(place)
    assert (shown["url"], shown["pending_update_count"]) == ("", 1)
    assert receiver.got == []
