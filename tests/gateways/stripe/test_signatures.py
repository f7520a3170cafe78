"""Signatures: the SDK agrees, and tampered bytes never pass."""

from __future__ import annotations

import time

import pytest
import stripe
from hypothesis import assume, example, given
from hypothesis import strategies as st

from velvetrope.gateways.stripe.signatures import BadSignature, sign, verify

SECRET, OTHER = "whsec_0123456789abcdef", "whsec_fedcba9876543210"
NOW = 1_790_000_000
BODY = '{"id": "evt_1", "object": "event", "name": "Олена"}'.encode()


def _code(payload: bytes, header: str, *secrets: str, now: float = NOW) -> str:
    with pytest.raises(BadSignature) as caught:
        verify(payload, header, secrets, now)
    return caught.value.code


def _sdk_accepts(payload: bytes, header: str, secret: str) -> bool:
    try:
        return stripe.WebhookSignature.verify_header(payload, header, secret, 300) is True
    except (stripe.SignatureVerificationError, ValueError):
        return False


def test_what_the_sdk_signs_passes() -> None:
    header = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, NOW)
    assert header == sign(BODY, SECRET, NOW)
    verify(BODY, header, [SECRET], NOW)


def test_any_of_several_secrets_may_have_signed() -> None:
    verify(BODY, sign(BODY, OTHER, NOW), [SECRET, OTHER], NOW)
    assert _code(BODY, sign(BODY, OTHER, NOW), SECRET) == "mismatch"


def test_while_a_secret_is_rolled_both_sign_and_either_is_enough() -> None:
    both = sign(BODY, OTHER, NOW) + "," + sign(BODY, SECRET, NOW).partition(",")[2]
    verify(BODY, both + ",v0=" + "0" * 64, [SECRET], NOW)
    verify(BODY, both, [OTHER], NOW)


@pytest.mark.parametrize(("age", "code"), [(301, "stale"), (-301, "future")])
def test_old_and_future_signatures_are_refused(age: int, code: str) -> None:
    assert _code(BODY, sign(BODY, SECRET, NOW - age), SECRET) == code


@pytest.mark.parametrize("age", [-300, -1, 0, 299, 300])
def test_five_minutes_either_way_are_tolerated(age: int) -> None:
    verify(BODY, sign(BODY, SECRET, NOW - age), [SECRET], NOW)


@pytest.mark.parametrize("secrets", [(), ("",), ("  ", "\n")])
def test_a_blank_secret_signs_nothing(secrets: tuple[str, ...]) -> None:
    assert _code(BODY, sign(BODY, "", NOW), *secrets) == "no_secret"


DIGEST = sign(BODY, SECRET, NOW).partition("v1=")[2]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "missing"),
        ("garbage", "malformed"),
        (f"v1={DIGEST}", "malformed"),
        (f"t={NOW}", "malformed"),
        (f"t={NOW},v0={DIGEST}", "malformed"),
        (f"t={NOW},v1={DIGEST[:-1]}", "malformed"),
        (f"t={NOW},v1={DIGEST.upper()}", "malformed"),
        (f"t=+{NOW},v1={DIGEST}", "malformed"),
        (f"t=-{NOW},v1={DIGEST}", "malformed"),
        (f"t={NOW}.0,v1={DIGEST}", "malformed"),
        (f"t=١٢٣,v1={DIGEST}", "malformed"),
        (f"t={NOW},t={NOW},v1={DIGEST}", "malformed"),
        (f"t={NOW}," + ",".join([f"v1={DIGEST}"] * 100), "malformed"),
        (f"t={'9' * 5000},v1={DIGEST}", "malformed"),
        (f"t={NOW + 1},v1={DIGEST}", "mismatch"),
    ],
)
def test_a_header_that_is_not_stripes_is_refused(header: str, code: str) -> None:
    assert _code(BODY, header, SECRET) == code


@given(st.binary(max_size=200), st.integers(0, 255), st.data())
@example(b"{}", 0, None)
def test_tampered_bytes_never_pass(payload: bytes, byte: int, data: st.DataObject | None) -> None:
    header = sign(payload, SECRET, NOW)
    verify(payload, header, [SECRET], NOW)
    tampered = bytearray(payload)
    place = data.draw(st.integers(0, len(payload))) if data else len(payload)
    if place == len(payload):
        tampered.append(byte)
    else:
        tampered[place] = byte
    assume(bytes(tampered) != payload)
    assert _code(bytes(tampered), header, SECRET) == "mismatch"


@given(st.text(max_size=200))
def test_a_made_up_header_never_passes(header: str) -> None:
    assert _code(BODY, header, SECRET) in {"missing", "malformed", "mismatch"}


@given(st.text(max_size=200), st.integers(-400, 299))
def test_the_sdk_accepts_what_is_accepted_here(text: str, age: int) -> None:
    payload = text.encode(errors="replace")
    now = int(time.time())
    header = sign(payload, SECRET, now - age)
    # The future is the one thing that the SDK lets pass.
    if age >= -300:
        verify(payload, header, [SECRET], now)
    assert _sdk_accepts(payload, header, SECRET)
    assert not _sdk_accepts(payload + b" ", header, SECRET)
    assert not _sdk_accepts(payload, sign(payload, SECRET, now - 400), SECRET)
