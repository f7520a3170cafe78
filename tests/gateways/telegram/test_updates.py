"""Updates: the peek at the edge and the decoding for handlers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from velvetrope.gateways.telegram.updates import KINDS, decode_update, peek_update

OLENA = {"id": 5_000_000_001, "is_bot": False, "first_name": "Олена", "language_code": "uk"}
PRIVATE = {"id": 5_000_000_001, "type": "private", "first_name": "Олена"}
CHANNEL = {"id": -1001234567890, "type": "channel", "title": "Клуб"}
GROUP = {"id": -1009876543210, "type": "supergroup", "title": "Розмови"}
BOT = {"id": 123456789, "is_bot": True, "first_name": "Door"}
DATE = 1_790_000_000

CHANGED = {
    "chat": CHANNEL,
    "from": BOT,
    "date": DATE,
    "old_chat_member": {"status": "left", "user": OLENA},
    "new_chat_member": {"status": "member", "user": OLENA},
}
MEMBERS: dict[str, tuple[dict[str, Any], str]] = {
    "message": (
        {"message_id": 7, "from": OLENA, "chat": PRIVATE, "date": DATE, "text": "/start"},
        "5000000001",
    ),
    "callback_query": (
        {"id": "99", "from": OLENA, "chat_instance": "1", "data": "plan:1"},
        "5000000001",
    ),
    "my_chat_member": (CHANGED, "chat:-1001234567890"),
    "chat_member": (CHANGED, "5000000001"),
    "chat_join_request": (
        {"chat": CHANNEL, "from": OLENA, "user_chat_id": 5_000_000_001, "date": DATE},
        "5000000001",
    ),
    "pre_checkout_query": (
        {
            "id": "9",
            "from": OLENA,
            "currency": "XTR",
            "total_amount": 500,
            "invoice_payload": "p",
        },
        "5000000001",
    ),
    "subscription": ({"user": OLENA, "invoice_payload": "p", "state": "canceled"}, "5000000001"),
}


def written(update: object) -> bytes:
    return json.dumps(update, ensure_ascii=False).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_lane_and_decodes(kind: str) -> None:
    member, lane = MEMBERS[kind]
    payload = written({"update_id": 42, kind: member, "something_new": {"a": [1, {}]}})
    peek, update = peek_update(payload), decode_update(payload)
    assert (peek.update_id, peek.kind, peek.lane) == (42, kind, lane)
    assert (update.update_id, update.kind) == (42, kind)


def test_blocking_the_bot_is_in_order_with_the_persons_messages() -> None:
    changed = {**CHANGED, "chat": PRIVATE, "from": OLENA}
    assert peek_update(written({"update_id": 1, "my_chat_member": changed})).lane == "5000000001"


def test_a_group_keeps_the_order_of_the_group_not_of_its_people() -> None:
    message = {"message_id": 7, "from": OLENA, "chat": GROUP, "date": DATE, "text": "hi"}
    peek = peek_update(written({"update_id": 1, "message": message}))
    assert peek.lane == "chat:-1009876543210"
    assert (peek.user_id, peek.chat_id) == (OLENA["id"], GROUP["id"])


def test_the_lane_of_a_membership_is_whom_it_concerns_not_who_changed_it() -> None:
    peek = peek_update(written({"update_id": 1, "chat_member": {**CHANGED, "from": BOT}}))
    assert peek.user_id == OLENA["id"]


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 1},
        {"update_id": 1, "message": None},
        {"update_id": 1, "poll": {"id": "5"}},
        {"update_id": 0, "something_new": [[[1]]]},
    ],
)
def test_what_is_not_known_yet_is_an_update_all_the_same(update: dict[str, Any]) -> None:
    peek = peek_update(written(update))
    assert (peek.kind, peek.lane) == ("unknown", "other")
    assert decode_update(written(update)).kind == "unknown"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"{}",
        b'{"update_id": null}',
        b'{"update_id": "1"}',
        b'{"update_id": 1.0}',
        b'{"update_id": 1e3}',
        b'{"update_id": true}',
        b'{"update_id": -1}',
        b'{"update_id": 9223372036854775808}',
        b'{"update_id": 1' + b"0" * 5000 + b"}",
        b'{"update_id": 1} {"update_id": 2}',
        b'{"update_id": 1',
        b'{"update_id": 1, "x": "\xff"}',
        b'{"update_id": 1, "x": "\\ud800"}',
        b'\xef\xbb\xbf{"update_id": 1}',
        b'{"update_id": 1, "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"update_id": 1, "x": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b"}",
        b'{"update_id": 1, "message": 5}',
        b'{"update_id": 1, "message": {"message_id": 1}}',
        b'{"update_id": 1, "message": {"chat": {"id": "5", "type": "private"}}}',
        b'{"update_id": 1, "message": {"chat": {"id": 99999999999999999999, "type": "private"}}}',
        b'{"update_id": 1, "callback_query": {"id": "1"}}',
        b'{"update_id": 1, "chat_member": {"chat": {"id": 1, "type": "channel"}}}',
    ],
)
def test_what_is_no_update_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        peek_update(payload)
    with pytest.raises(ValueError, match=r"."):
        decode_update(payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.binary(max_size=300))
@example(b'{"update_id":1}')
def test_any_bytes_are_an_update_or_a_value_error(payload: bytes) -> None:
    _peek_or_refuse(payload)


@given(st.dictionaries(st.sampled_from(["update_id", *KINDS, "x"]), json_values, max_size=5))
def test_any_object_is_an_update_or_a_value_error(update: dict[str, Any]) -> None:
    _peek_or_refuse(written(update).replace(b"\\ud", b"?"))


@given(st.sampled_from(sorted(MEMBERS)), st.data())
def test_a_damaged_update_is_an_update_or_a_value_error(kind: str, data: st.DataObject) -> None:
    payload = bytearray(written({"update_id": 42, kind: MEMBERS[kind][0]}))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] = data.draw(st.integers(0, 255))
    _peek_or_refuse(bytes(payload))


def _peek_or_refuse(payload: bytes) -> None:
    try:
        peek = peek_update(payload)
    except ValueError:
        return
    assert 0 <= peek.update_id < 2**63
    assert peek.lane
    assert peek.kind in {*KINDS, "unknown"}


@given(st.integers(-(2**63), 2**63 - 1).filter(bool))
def test_ids_of_64_bits_survive(number: int) -> None:
    chat = {"id": number, "type": "supergroup"}
    payload = written({"update_id": 2**63 - 1, "message": {"message_id": 1, "chat": chat}})
    assert peek_update(payload).lane == f"chat:{number}"
    message = decode_update(payload).message
    assert message is not None
    assert message.chat.id == number


def test_a_person_is_told_from_bots_channels_and_anonymous_administrators() -> None:
    def from_person(**changes: object) -> bool:
        message = {**MEMBERS["message"][0], **changes}
        decoded = decode_update(written({"update_id": 1, "message": message})).message
        assert decoded is not None
        return decoded.is_from_person

    assert from_person()
    assert not from_person(**{"from": BOT})
    assert not from_person(sender_chat=CHANNEL)
    assert not from_person(**{"from": None})


@pytest.mark.parametrize(
    ("member", "inside_and_admin"),
    [
        ({"status": "creator"}, (True, True)),
        ({"status": "administrator"}, (True, True)),
        ({"status": "member"}, (True, False)),
        ({"status": "restricted", "is_member": True}, (True, False)),
        ({"status": "restricted", "is_member": False}, (False, False)),
        ({"status": "left"}, (False, False)),
        ({"status": "kicked", "until_date": 0}, (False, False)),
        ({"status": "something_new"}, (False, False)),
    ],
)
def test_a_standing_tells_whether_somebody_is_inside(
    member: dict[str, Any], inside_and_admin: tuple[bool, bool]
) -> None:
    changed = {**CHANGED, "new_chat_member": {**member, "user": OLENA}}
    update = decode_update(written({"update_id": 1, "chat_member": changed})).chat_member
    assert update is not None
    standing = update.new_chat_member
    assert (standing.is_inside, standing.is_admin) == inside_and_admin
