"""Who held a right to which chat at any moment, computed from Stripe's own events and the time.

Written from the access policy of the design, without a line of the product: what both agree on is
not agreed on by a common mistake. `oracle.py` is its little sister for stories of seconds.

What the policy leaves open is `EITHER`: nobody is judged by it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tests.faults.oracle import owner

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Record: TypeAlias = "Mapping[str, Any]"

DAY: Final = 86_400.0
_KINDS = frozenset({"subscription", "payment_intent", "refund", "dispute", "invoice"})
_OUT = frozenset({"unpaid", "paused", "incomplete", "incomplete_expired", "canceled"})
_RUNNING = frozenset({"active", "trialing"})
_WON = frozenset({"won", "prevented"})


class Right(Enum):
    IN = "in"
    OUT = "out"
    EITHER = "either"

    @classmethod
    def any_of(cls, rights: Iterable[Right]) -> Right:
        """Add rights up: one that holds is enough."""
        found = set(rights)
        return next((one for one in (cls.IN, cls.EITHER) if one in found), cls.OUT)


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings of the policy that the oracle knows; the defaults are those of the design."""

    grace_days: int = 7
    collection_pause_keeps: bool = True
    refund_ends: bool = True
    partial_refund_ends: bool = False
    dispute_suspends: bool = True
    dispute_warning_suspends: bool = False
    dispute_lost_ends: bool = True


@dataclass(slots=True)
class Gift:
    """A grant by hand: surely held from `since` to `until`, perhaps a little before and after."""

    person: int
    price: str
    ordered: float
    until: float
    since: float = float("inf")
    revoked: float = float("inf")
    over: float = float("inf")

    def at(self, moment: float) -> Right:
        if not self.ordered <= moment < min(self.until, self.over):
            return Right.OUT
        if self.since <= moment < self.revoked:
            return Right.IN
        return Right.EITHER


@dataclass(frozen=True, slots=True)
class Shop:
    """What is sold: the chats that each price opens, and the days that a single payment lasts."""

    bot: int
    opens: Mapping[str, frozenset[int]]
    days: Mapping[str, int]


class _Versions:
    """One object of Stripe as it was, newest last."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.records: list[Record] = []

    def add(self, moment: float, record: Record) -> None:
        self.moments.append(moment)
        self.records.append(record)

    def at(self, moment: float) -> Record | None:
        place = bisect_right(self.moments, moment)
        return self.records[place - 1] if place else None

    def stretch(self, moment: float, status: str) -> float:
        """Tell since when the object has had the status that it has at that moment."""
        place = bisect_right(self.moments, moment) - 1
        while place > 0 and self.records[place - 1]["status"] == status:
            place -= 1
        return self.moments[place]


class History:
    """Everything that happened at Stripe in one account, fed in order by its events."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._objects: dict[str, dict[str, _Versions]] = {kind: {} for kind in _KINDS}
        #: Of each subscription, (moment, invoice) as they were paid.
        self._paid: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self._intents: dict[str, str] = {}
        self._of_payment: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._of_person: dict[int, set[str]] = defaultdict(set)
        self._terms: list[tuple[float, Terms]] = [(0.0, Terms())]
        self.gifts: list[Gift] = []

    def feed(self, events: Iterable[Record]) -> None:
        for event in events:
            record, moment = event["data"]["object"], event["at"]
            kind = record["object"]
            if kind == "invoice_payment" and event["type"] == "invoice_payment.paid":
                self._intents[record["invoice"]] = record["payment"]["payment_intent"]
            if event["type"] == "invoice.paid" and record["parent"] is not None:
                of = record["parent"]["subscription_details"]["subscription"]
                self._paid[of].append((moment, record["id"]))
            if kind not in _KINDS:
                continue
            self._objects[kind].setdefault(record["id"], _Versions()).add(moment, record)
            if kind in {"refund", "dispute"}:
                self._of_payment[kind, record["payment_intent"]].add(record["id"])
            elif kind != "invoice" and (person := owner(record, self._shop.bot)) is not None:
                self._of_person[person].add(record["id"])

    def decree(self, moment: float, **changes: Any) -> None:
        """Change the policy from this moment on."""
        self._terms.append((moment, replace(self._terms[-1][1], **changes)))

    # What a person has, for those who play with it

    def subscriptions(self, person: int) -> list[Record]:
        """Give a person's subscriptions as they are, the oldest first."""
        return list(self._latest("subscription", self._of_person[person]))

    def payments(self, person: int) -> list[Record]:
        """Give the payments that a person made, those of subscriptions included."""
        names = set(self._of_person[person])
        for subscription in self._of_person[person]:
            for _, invoice in self._paid[subscription]:
                names |= {self._intents.get(invoice, "")} & self._objects["payment_intent"].keys()
        return list(self._latest("payment_intent", names))

    def back(self, kind: str, person: int) -> list[Record]:
        """Give the refunds or disputes of a person's payments."""
        names: set[str] = set()
        for payment in self.payments(person):
            names |= self._of_payment[kind, payment["id"]]
        return list(self._latest(kind, names))

    def names_of(self, person: int) -> set[str]:
        """Give the ids by which a person's rights are asked for."""
        customers = {one["customer"] for one in (*self.subscriptions(person),) if one["customer"]}
        customers |= {one["customer"] for one in self.payments(person) if one["customer"]}
        return {one["id"] for one in self.payments(person)} | self._of_person[person] | customers

    def _latest(self, kind: str, names: Iterable[str]) -> Iterator[Record]:
        found = [self._objects[kind][name] for name in names if name in self._objects[kind]]
        found.sort(key=lambda one: (one.moments[0], one.records[0]["id"]))
        return (one.records[-1] for one in found)

    # What follows from it

    def right(self, person: int, chat: int, moment: float) -> Right:
        """Tell whether a person may be in a chat at a moment."""
        terms = next(terms for since, terms in reversed(self._terms) if since <= moment)
        return Right.any_of(self._rights(person, chat, moment, terms))

    def ever(self, person: int, chat: int, until: float) -> bool:
        """Tell whether a person may have been in a chat at some moment before."""
        moments = [one for one in self._moments(person) if one <= until]
        return any(self.right(person, chat, one) is not Right.OUT for one in (*moments, until))

    def closings(self, person: int, until: float) -> int:
        """Count how often a right of a person's ended at most, one by one.

        While it may be either, it may have ended already.
        """
        moments = [one for one in self._moments(person) if one <= until]
        opens, count = self._shop.opens, 0
        for price in opens:
            for chat in opens[price]:
                was, may_end = Right.OUT, False
                for moment in (*moments, until):
                    right = self.right(person, chat, moment)
                    if may_end and right is not Right.IN and right is not was:
                        count, may_end = count + 1, False
                    elif right is Right.IN or (was is Right.OUT and right is Right.EITHER):
                        may_end = True
                    was = right
        return count

    def failures(self, person: int) -> int:
        """Count how often one of a person's subscriptions fell behind."""
        count = 0
        for name in self._of_person[person]:
            versions = self._objects["subscription"].get(name)
            statuses = [one["status"] for one in versions.records] if versions else []
            count += sum(
                now == "past_due" != was
                for was, now in zip(["", *statuses], statuses, strict=False)
            )
        return count

    def purchases(self, person: int) -> int:
        """Count what a person bought: subscriptions, and payments that came in."""
        bought = [self._objects["payment_intent"].get(name) for name in self._of_person[person]]
        paid = [
            one
            for one in bought
            if one is not None and any(record["status"] == "succeeded" for record in one.records)
        ]
        return len(self.subscriptions(person)) + len(paid)

    def receipts(self, person: int) -> int:
        """Count the payments that came in."""
        return sum(one["status"] == "succeeded" for one in self.payments(person))

    def _moments(self, person: int) -> list[float]:
        """Give the moments at which a person's rights may have changed, the oldest first."""
        found: set[float] = {since for since, _ in self._terms}
        for kind in _KINDS:
            names = set(self._of_person[person])
            if kind in {"refund", "dispute"}:
                names = {one["id"] for one in self.back(kind, person)}
            if kind == "payment_intent":
                names = {one["id"] for one in self.payments(person)}
            for name in names & self._objects[kind].keys():
                for moment, record in zip(
                    self._objects[kind][name].moments,
                    self._objects[kind][name].records,
                    strict=True,
                ):
                    found.add(moment)
                    if record["object"] == "subscription":
                        found |= {moment + terms.grace_days * DAY for _, terms in self._terms}
                    elif record["object"] == "payment_intent":
                        found |= {
                            record["created"] + days * DAY for days in self._shop.days.values()
                        }
        for gift in self.gifts:
            if gift.person == person:
                found |= {gift.ordered, gift.since, min(gift.until, gift.over)}
        return sorted(found)

    def _rights(self, person: int, chat: int, moment: float, terms: Terms) -> Iterator[Right]:
        opens = self._shop.opens
        for name in self._of_person[person]:
            for kind, judge in (("subscription", self._running), ("payment_intent", self._bought)):
                versions = self._objects[kind].get(name)
                record = None if versions is None else versions.at(moment)
                if versions is not None and record is not None:
                    right, price = judge(versions, record, moment, terms)
                    if chat in opens.get(price, ()):
                        yield right
        for gift in self.gifts:
            if gift.person == person and chat in opens[gift.price]:
                yield gift.at(moment)

    def _running(
        self, versions: _Versions, record: Record, moment: float, terms: Terms
    ) -> tuple[Right, str]:
        price = record["items"]["data"][0]["price"]["id"]
        money, status = self._money_of(record, moment, terms), record["status"]
        if money is Right.OUT or status in _OUT:
            return Right.OUT, price
        if status != "past_due" and status not in _RUNNING:
            return Right.EITHER, price  # unchanged, whatever it was
        if record["pause_collection"] and not terms.collection_pause_keeps:
            return Right.OUT, price
        if status == "past_due":
            failed = versions.stretch(moment, status)
            if moment >= failed + terms.grace_days * DAY:
                return Right.OUT, price
        return money, price

    def _money_of(self, subscription: Record, moment: float, terms: Terms) -> Right:
        """Judge the money of the period that was paid last."""
        paid = [invoice for at, invoice in self._paid[subscription["id"]] if at <= moment]
        if not paid or paid[-1] not in self._intents:
            return Right.IN  # nothing was paid yet, or nothing was due: a trial
        went_back = self._went_back(self._intents[paid[-1]], moment, terms)
        if went_back is None:
            return Right.IN
        newest = self._objects["invoice"].get(subscription["latest_invoice"])
        if newest and subscription["latest_invoice"] != paid[-1] and newest.moments[0] <= went_back:
            return Right.EITHER  # the old period's money, while the new period is not paid yet
        return Right.OUT

    def _bought(
        self, versions: _Versions, record: Record, moment: float, terms: Terms
    ) -> tuple[Right, str]:
        price = record["metadata"]["velvetrope_plan"]
        if record["status"] != "succeeded":
            return Right.OUT, price
        if self._went_back(record["id"], moment, terms) is not None:
            return Right.OUT, price
        days = self._shop.days.get(price)
        if days is not None and moment >= record["created"] + days * DAY:
            paid = versions.stretch(moment, "succeeded")
            return (Right.OUT if moment >= paid + days * DAY else Right.EITHER), price
        return Right.IN, price

    def _went_back(self, payment: str, moment: float, terms: Terms) -> float | None:
        """Tell since when the money of a payment is gone, or in doubt; None while it is there."""
        moments = [self._refunded(payment, moment, terms)]
        for name in self._of_payment["dispute", payment]:
            versions = self._objects["dispute"][name]
            record = versions.at(moment)
            if record is None or record["status"] in _WON:
                continue
            warned = record["status"].startswith("warning_")
            lost = record["status"] == "lost"
            counts = terms.dispute_lost_ends if lost else terms.dispute_suspends
            if warned:
                over = record["status"] == "warning_closed"
                counts = terms.dispute_warning_suspends and not over
            if counts:
                moments.append(versions.stretch(moment, record["status"]))
        return min((one for one in moments if one is not None), default=None)

    def _refunded(self, payment: str, moment: float, terms: Terms) -> float | None:
        amount, last = 0, None
        for name in self._of_payment["refund", payment]:
            versions = self._objects["refund"][name]
            record = versions.at(moment)
            if record is not None and record["status"] in {"succeeded", "pending"}:
                amount += record["amount"]
                last = max(last or 0.0, versions.moments[0])
        intent = self._objects["payment_intent"][payment].at(moment)
        whole = intent is not None and 0 < intent["amount"] <= amount
        if whole and terms.refund_ends:
            return last
        # A refund of everything is no refund of a part.
        return last if amount and not whole and terms.partial_refund_ends else None
