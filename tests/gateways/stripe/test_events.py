"""Events at the edge: which object they name, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.gateways.stripe.events import peek_event


def event(obj: object, **changes: object) -> bytes:
    whole = {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_000,
        "livemode": False,
        "type": "some.thing",
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": obj, "previous_attributes": {"status": "x"}},
    }
    return json.dumps({**whole, **changes}).encode()


@pytest.mark.parametrize(
    ("obj", "lane"),
    [
        ({"id": "cus_1", "object": "customer"}, "cus_1"),
        ({"id": "sub_1", "object": "subscription", "customer": "cus_1"}, "cus_1"),
        ({"id": "sub_1", "object": "subscription", "customer": {"id": "cus_1"}}, "cus_1"),
        ({"id": "cs_1", "object": "checkout.session", "customer": None}, "cs_1"),
        ({"id": "re_1", "object": "refund", "payment_intent": "pi_1", "charge": "ch_1"}, "pi_1"),
        ({"id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": None}, "ch_1"),
        ({"id": "pi_1", "object": "payment_intent", "customer": None}, "pi_1"),
        ({"id": "price_1", "object": "price"}, "price_1"),
        ({"object": "balance"}, "evt_1"),
        ({}, "evt_1"),
    ],
)
def test_the_lane_is_what_events_of_one_person_have_in_common(
    obj: dict[str, Any], lane: str
) -> None:
    assert peek_event(event(obj)).lane == lane


def test_an_event_tells_what_it_is_about() -> None:
    invoice = {"id": "in_1", "object": "invoice", "customer": "cus_1"}
    peek = peek_event(event(invoice, type="invoice.paid", account="acct_1"))
    assert (peek.id, peek.type, peek.created) == ("evt_1", "invoice.paid", 1_790_000_000)
    assert (peek.object_id, peek.object_kind, peek.invoice) == ("in_1", "invoice", "in_1")
    assert (peek.customer, peek.account, peek.livemode) == ("cus_1", "acct_1", False)
    assert peek.api_version == "2026-10-28.endive"


@pytest.mark.parametrize(
    "odd",
    [
        {"id": 5, "object": ["x"], "customer": 7, "charge": True},
        {"id": "x" * 256, "object": "thing"},
        {"id": "a b", "object": "thing"},
        {"id": "", "object": "thing"},
        {"id": "пі", "object": "thing", "customer": {"name": "x"}},
    ],
)
def test_objects_of_other_products_may_look_like_anything(odd: dict[str, Any]) -> None:
    peek = peek_event(event(odd))
    assert (peek.object_id, peek.customer, peek.lane) == (None, None, "evt_1")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        event({})[:-1],
        event({}, id=""),
        event({}, id=None),
        event({}, id="x" * 256),
        event({}, id="evt 1"),
        event({}, id="evt_1\n"),
        event({}, object="v2.core.event"),
        event({}, type=5),
        event({}, created="now"),
        event({}, created=-1),
        event({}, created=10**30),
        event({}, livemode=None),
        event({}, data=None),
        event([]),
        event(None),
        event({}).replace(b'"x"', b'"\xff"'),
        event({}).replace(b'"x"', b"[" * 200_000 + b"]" * 200_000),
        event({"customer": 0}).replace(b'"customer": 0', b'"customer": ' + b"[" * 200_000),
    ],
)
def test_what_is_no_event_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        peek_event(payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = ["id", "object", "customer", "payment_intent", "charge", "subscription", "invoice"]


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_a_value_error(payload: bytes) -> None:
    _peek_or_refuse(payload)


@given(st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_any_object_has_a_lane(obj: dict[str, Any]) -> None:
    _peek_or_refuse(event(obj))


@given(st.data())
def test_a_damaged_event_is_an_event_or_a_value_error(data: st.DataObject) -> None:
    payload = bytearray(event({"id": "sub_1", "object": "subscription", "customer": "cus_1"}))
    payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    _peek_or_refuse(bytes(payload))


def _peek_or_refuse(payload: bytes) -> None:
    try:
        peek = peek_event(payload)
    except ValueError:
        return
    assert 0 < len(peek.lane) <= 255
    assert peek.lane.isascii()
