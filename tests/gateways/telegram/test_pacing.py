"""The pace of a bot, for any order of calls."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.gateways.telegram.pacing import Limits, Pacer, Priority, Rate

PERSON, GROUP = 5, -1005


def _send_all(
    pacer: Pacer, count: int, *, chat: int | None, priority: Priority, is_group: bool = False
) -> list[float]:
    """Send as early as allowed, `count` times from time 100, to one chat or to one each."""
    now, sent = 100.0, []
    for number in range(count):
        to = number + 1000 if chat is None else chat
        now = pacer.next_at(to, is_group=is_group, priority=priority, now=now)
        assert pacer.take(to, is_group=is_group, priority=priority, now=now)
        pacer.end(priority=priority, now=now)
        sent.append(now)
    return sent


def _most_within(times: list[float], window: float) -> int:
    return max(sum(start <= time < start + window - 1e-6 for time in times) for start in times)


def test_bulk_is_at_most_thirty_a_second_and_nearly_that() -> None:
    sent = _send_all(Pacer(), 300, chat=None, priority="bulk")
    assert _most_within(sent, 1.0) <= 30
    assert sent[-1] - sent[0] < 300 / 27


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1)), min_size=40, max_size=80))
def test_telegram_sees_at_most_thirty_a_second_however_long_calls_are_on_their_way(
    ways: list[tuple[float, float]],
) -> None:
    pacer, now = Pacer(), 100.0
    under_way: list[float] = []
    seen = []
    for number, (takes, share) in enumerate(ways):
        while not pacer.take(number, is_group=False, priority="bulk", now=now):
            at = pacer.next_at(number, is_group=False, priority="bulk", now=now)
            now = min([at, *under_way])
            while under_way and min(under_way) <= now:
                under_way.remove(min(under_way))
                pacer.end(priority="bulk", now=now)
        under_way.append(now + takes)
        seen.append(now + takes * share)
    assert _most_within(sorted(seen), 1.0) <= 30


def test_a_person_gets_a_short_burst_and_then_a_message_a_second() -> None:
    sent = _send_all(Pacer(), 20, chat=PERSON, priority="answer")
    assert sent[4] == sent[0]
    assert all(after - before == pytest.approx(1.0) for before, after in pairwise(sent[5:]))


def test_a_group_gets_at_most_twenty_a_minute() -> None:
    sent = _send_all(Pacer(), 100, chat=GROUP, priority="bulk", is_group=True)
    assert _most_within(sent, 60.0) == 20


def test_answers_and_grants_do_not_wait_for_bulk() -> None:
    pacer = Pacer()
    _send_all(pacer, 3, chat=None, priority="bulk")
    assert not pacer.take(1, is_group=False, priority="bulk", now=100.0)
    assert pacer.take(1, is_group=False, priority="answer", now=100.0)
    assert pacer.take(2, is_group=False, priority="grant", now=100.0)


def test_answers_are_bounded_too() -> None:
    limits = Limits(everything=Rate(count=50, window=1.0, burst=10))
    sent = _send_all(Pacer(limits), 500, chat=None, priority="answer")
    assert _most_within(sent, 1.0) <= 50


def test_a_call_that_speaks_in_no_chat_minds_only_the_bot() -> None:
    pacer = Pacer()
    for _ in range(50):
        assert pacer.take(None, is_group=False, priority="grant", now=100.0)
    pacer.pause(160.0)
    assert pacer.next_at(None, is_group=False, priority="grant", now=100.0) == 160.0


def test_a_pause_of_a_chat_holds_that_chat_only() -> None:
    pacer = Pacer()
    pacer.pause(117.0, PERSON)
    assert pacer.next_at(PERSON, is_group=False, priority="answer", now=100.0) == 117.0
    assert pacer.take(PERSON + 1, is_group=False, priority="answer", now=100.0)
    assert pacer.take(PERSON, is_group=False, priority="answer", now=117.0)


def test_a_pause_of_the_bot_holds_everything_and_is_never_shortened() -> None:
    pacer = Pacer()
    pacer.pause(130.0)
    pacer.pause(110.0)
    for priority in ("answer", "grant", "bulk"):
        assert pacer.next_at(1, is_group=False, priority=priority, now=100.0) == 130.0


def test_what_holds_nothing_back_is_forgotten() -> None:
    pacer = Pacer()
    now = 100.0
    for chat in range(1, 20_001):
        now = pacer.next_at(chat, is_group=False, priority="answer", now=now)
        assert pacer.take(chat, is_group=False, priority="answer", now=now)
    # At two thousand a second only the chats of the last second or so still matter.
    assert len(pacer) < 10_000
    pacer.pause(now + 1, 7)
    pacer.forget_idle(now + 3600)
    assert len(pacer) == 0


calls = st.lists(
    st.tuples(
        st.sampled_from(["answer", "grant", "bulk"]),
        st.sampled_from([None, 1, 2, GROUP]),
        st.floats(0, 3),
    ),
    max_size=60,
)


@given(calls)
def test_a_call_is_allowed_exactly_from_the_time_that_was_told(
    asked: list[tuple[Priority, int | None, float]],
) -> None:
    pacer, now = Pacer(), 1_790_000_000.0
    for priority, chat, passed in asked:
        now += passed
        group = chat == GROUP
        at = pacer.next_at(chat, is_group=group, priority=priority, now=now)
        assert at >= now
        if at > now:
            assert not pacer.take(chat, is_group=group, priority=priority, now=now)
            assert at - now < 60.0
        assert pacer.take(chat, is_group=group, priority=priority, now=at)
        pacer.end(priority=priority, now=at)
        now = at


@given(st.integers(1, 100), st.floats(0.5, 100), st.data())
def test_no_window_ever_holds_more_than_its_rate(
    count: int, window: float, data: st.DataObject
) -> None:
    rate = Rate(count=count, window=window, burst=data.draw(st.integers(1, count)))
    sent = _send_all(Pacer(Limits(bulk=rate)), 2 * count, chat=None, priority="bulk")
    assert _most_within(sent, window) <= count


def test_what_another_process_sent_counts_for_a_second_and_then_no_more() -> None:
    pacer = Pacer()
    for number in range(30):
        pacer.count(number, is_group=False, priority="bulk", now=100.0 + number / 1000)
    at = pacer.next_at(1000, is_group=False, priority="bulk", now=100.1)
    assert at >= 101.0
    assert not pacer.is_full(100.9)
    assert pacer.take(1000, is_group=False, priority="bulk", now=102.0)
    pacer.end(priority="bulk", now=102.0)
    assert pacer.next_at(1001, is_group=False, priority="bulk", now=102.1) == 102.1
    assert not pacer.is_full(102.5)
    assert pacer.is_full(200.0)
