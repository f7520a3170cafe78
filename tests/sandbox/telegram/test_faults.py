from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.processes import eventually

if TYPE_CHECKING:
    from tests.sandbox.telegram.place import Place


@pytest.fixture
def ready(place: Place) -> Place:
    place.start()
    return place


def texts(place: Place) -> list[str]:
    return [message["text"] for message in place.dialog(place.ann)["messages"]]


def test_a_planned_429_says_how_long_and_does_nothing(ready: Place) -> None:
    ready.faults(fail_next={"match": "send*", "status": 429, "retry_after": 7, "count": 2})
    for _ in range(2):
        answer = ready.post("sendMessage", chat_id=ready.ann, text="x")
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "7"
        assert answer.json() == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 7",
            "parameters": {"retry_after": 7},
        }
    assert texts(ready) == ["/start"]
    ready.call("sendMessage", chat_id=ready.ann, text="x")


def test_other_methods_are_spared(ready: Place) -> None:
    ready.faults(fail_next={"match": "banChatMember", "status": 500})
    ready.call("sendMessage", chat_id=ready.ann, text="x")


def test_a_5xx_may_be_json_or_a_proxys_page(ready: Place) -> None:
    page = "<html><h1>502 Bad Gateway</h1></html>"
    ready.faults(fail_next=[{"status": 502}, {"status": 502, "body": page}])
    first = ready.post("getMe")
    assert (first.status_code, first.json()["description"]) == (502, "Bad Gateway")
    second = ready.post("getMe")
    assert (second.status_code, second.text) == (502, page)
    assert second.headers["Content-Type"].startswith("text/html")


def test_a_refusal_can_be_worded(ready: Place) -> None:
    words = "Bad Request: member not found"
    ready.faults(fail_next={"match": "getChatMember", "status": 400, "description": words})
    answer = ready.refusal("getChatMember", chat_id=ready.chat, user_id=ready.ann)
    assert answer.description == words


def test_a_lost_answer_has_done_its_work(ready: Place) -> None:
    ready.faults(fail_next={"match": "sendMessage", "lose_answer": True})
    with pytest.raises(httpx.RemoteProtocolError):
        ready.post("sendMessage", chat_id=ready.ann, text="delivered")
    assert texts(ready)[-1] == "delivered"
    last = ready.phone.get("/control/calls").json()["calls"][-1]
    assert (last["method"], last["status"], last["fault"]) == ("sendMessage", 0, True)


def test_a_dropped_call_with_a_status_has_done_nothing(ready: Place) -> None:
    ready.faults(fail_next={"match": "sendMessage", "status": 500, "lose_answer": True})
    with pytest.raises(httpx.RemoteProtocolError):
        ready.post("sendMessage", chat_id=ready.ann, text="lost")
    assert texts(ready) == ["/start"]


def test_an_answer_can_be_late(ready: Place) -> None:
    ready.faults(fail_next={"match": "getMe", "delay": 0.2})
    started = time.monotonic()
    ready.call("getMe")
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    "knobs", [{"no_such_knob": 1}, {"fail_next": {"status": "x"}}, {"duplicates": "many"}]
)
def test_a_knob_that_isnt_there_is_refused(place: Place, knobs: dict[str, object]) -> None:
    answer = place.phone.post("/control/faults", json=knobs)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_reset_turns_every_knob_back(place: Place) -> None:
    before = place.phone.get("/control/faults").json()
    place.faults(duplicates=2, shuffle=1.5, strict=False, fail_next={"status": 500, "count": 9})
    assert place.phone.get("/control/faults").json() != before
    place.faults(reset=True)
    assert place.phone.get("/control/faults").json() == before


def test_calls_are_listed_without_the_token(ready: Place) -> None:
    ready.call("sendMessage", chat_id=ready.ann, text="hello")
    shown = ready.phone.get("/control/calls").json()
    last = shown["calls"][-1]
    assert last["method"] == "sendMessage"
    assert last["params"] == {"chat_id": ready.ann, "text": "hello"}
    assert (last["status"], last["target"]) == (200, "Ann")
    everything = ready.phone.get("/control/calls").text + ready.phone.get("/control/state").text
    assert ready.token not in everything
    assert ready.token.partition(":")[2] not in everything
    later = ready.phone.get("/control/calls", params={"after": shown["last"]}).json()
    assert later["calls"] == []


def test_whoever_is_written_to_exists_if_the_knob_says_so(place: Place) -> None:
    place.faults(anyone_started=True)
    stranger = 6_123_456_789
    place.call("sendMessage", chat_id=stranger, text="hi")
    eventually(lambda: place.dialog(stranger)["messages"][-1]["text"] == "hi")
