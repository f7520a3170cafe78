"""Statements on who runs which lane, for PostgreSQL; each within the caller's transaction.

A worker runs a lane while its lease carries the worker's id. Whoever stores an event takes no
lease: a worker does, and looks for events afterwards. So a lane may be let go only by one who
locks its lease first and looks for events in a later statement: what was stored before is seen,
what is stored later finds the lease gone. Leases are locked in the order of their keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from velvetrope.pipeline.announcing import BOT
from velvetrope.pipeline.dialect.postgresql import execute, fetch
from velvetrope.pipeline.dialect.rows import (
    EVENT_COLUMNS,
    EVENTS,
    ITEM_COLUMNS,
    ITEMS,
    event_of,
    item_of,
)
from velvetrope.store.models import LaneLease, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from velvetrope.pipeline.events import Event, Item

_LEASES: Final = LaneLease._meta.db_table  # noqa: SLF001  Django documents `_meta`
_WORKERS: Final = Worker._meta.db_table  # noqa: SLF001  the same

#: Events of one lane, and calls of one bot, that are taken at once; the rest when those are done.
_EVENTS_AT_ONCE: Final = 100
#: How long a call waits that is not a new one.
_WAITED: Final = timedelta(seconds=30)
#: A number for the lock of whoever looks for what nobody runs: «velv», «look».
_LOOKING: Final = (0x76656C76, 0x6C6F6F6B)


def take(owner: int, keys: Iterable[str]) -> dict[str, bool]:
    """Lease lanes that nobody has; gives those, and whether another worker gave them up.

    The others stay locked until the commit.
    """
    rows = fetch(
        f"INSERT INTO {_LEASES} AS lease (key, owner)"  # noqa: S608  a constant name
        " SELECT key, %s::bigint FROM unnest(%s::text[]) AS wanted (key)"
        " ON CONFLICT (key) DO UPDATE SET owner = excluded.owner WHERE lease.owner IS NULL"
        " RETURNING key, xmax <> 0",
        [owner, sorted(set(keys))],
    )
    return dict(rows)


def adopt(owner: int, limit: int) -> list[str]:
    """Take over lanes whose worker is gone."""
    return _keys(
        f"UPDATE {_LEASES} SET owner = %s WHERE key IN ("  # noqa: S608  constant names
        f" SELECT key FROM {_LEASES} AS lease WHERE owner IS NULL"
        f" OR NOT EXISTS (SELECT 1 FROM {_WORKERS} AS worker WHERE worker.id = lease.owner)"
        " ORDER BY key LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING key",
        [owner, limit],
    )


def drop(owner: int, keys: Iterable[str]) -> None:
    """Let lanes go that have nothing in hand."""
    execute(
        f"DELETE FROM {_LEASES} WHERE key = ANY(%s) AND owner = %s",  # noqa: S608  a constant name
        [sorted(keys), owner],
    )


def abandon(owner: int, keys: Iterable[str]) -> None:
    """Let lanes go as they are, for anybody to take up."""
    execute(
        f"UPDATE {_LEASES} SET owner = NULL WHERE key = ANY(%s) AND owner = %s",  # noqa: S608  a constant name
        [sorted(keys), owner],
    )


def give_up(owner: int) -> list[str]:
    """Let everything go as it is, for others to take up."""
    return _keys(
        f"UPDATE {_LEASES} SET owner = NULL WHERE owner = %s RETURNING key",  # noqa: S608  a constant name
        [owner],
    )


def claim_events(owner: int, keys: Sequence[str], now: datetime) -> list[Event]:
    """Take in hand the first events of lanes that were leased just now, whoever had them."""
    return _claim_events(owner, keys, now, "TRUE")


def let_go(owner: int, keys: Iterable[str], now: datetime) -> list[Event]:
    """Let lanes go of which nothing is in hand any more; gives events that came meanwhile.

    Those are in hand then, and their lanes are kept.
    """
    held = _keys(
        f"SELECT key FROM {_LEASES} WHERE key = ANY(%s) AND owner = %s"  # noqa: S608  a constant name
        " ORDER BY key FOR UPDATE",
        [sorted(set(keys)), owner],
    )
    if not held:
        return []
    # A row that another worker has in hand belongs to one who lost the lane.
    more = _claim_events(
        owner, held, now, "(state = 'pending' OR owner IS DISTINCT FROM %s)", owner
    )
    empty = set(held) - {event.lane for event in more}
    if empty:
        execute(
            f"DELETE FROM {_LEASES} AS lease WHERE key = ANY(%s) AND owner = %s"  # noqa: S608  constant names
            " AND NOT EXISTS ("
            f"SELECT 1 FROM {EVENTS} WHERE lane = lease.key AND state = 'claimed')",
            [sorted(empty), owner],
        )
    return more


def _claim_events(
    owner: int, keys: Sequence[str], now: datetime, which: str, *values: object
) -> list[Event]:
    # The state is asked for again outside: the row may have been finished since it was found.
    rows = fetch(
        f"UPDATE {EVENTS} SET state = 'claimed', owner = %s WHERE id IN ("  # noqa: S608  constants
        " SELECT found.id FROM unnest(%s::text[]) AS leased (key) CROSS JOIN LATERAL ("
        f" SELECT id FROM {EVENTS} WHERE lane = leased.key AND state IN ('pending', 'claimed')"
        f" AND (due_at IS NULL OR due_at <= %s) AND {which} ORDER BY id LIMIT %s"
        ") AS found"
        f") AND state IN ('pending', 'claimed') RETURNING {EVENT_COLUMNS}",
        [owner, list(keys), now, *values, _EVENTS_AT_ONCE],
    )
    return sorted((event_of(row) for row in rows), key=lambda event: event.id)


def lanes_without_worker(now: datetime, since: datetime, limit: int) -> list[str]:
    """Find lanes that should be run and that nobody has leased: due, or stored before `since`."""
    return _keys(
        "SELECT DISTINCT lane FROM ("  # noqa: S608  constants
        f"(SELECT lane FROM {EVENTS} WHERE state = 'pending' AND due_at <= %s"
        f" AND {_not_leased('lane')} ORDER BY due_at LIMIT %s)"
        " UNION ALL "
        f"(SELECT lane FROM {EVENTS} WHERE state IN ('pending', 'claimed') AND due_at IS NULL"
        f" AND received_at < %s AND {_not_leased('lane')} ORDER BY id LIMIT %s)"
        ") AS found",
        [now, limit, since, limit],
    )


def bots_without_worker(now: datetime, limit: int) -> list[str]:
    """Find delivery lanes that should be run and that nobody has leased."""
    key = f"'{BOT}' || bot.id"
    return _keys(
        f"SELECT {key} FROM store_integration AS bot WHERE {_not_leased(key)}"  # noqa: S608  constants
        f" AND EXISTS (SELECT 1 FROM {ITEMS} WHERE integration_id = bot.id"
        " AND state IN ('pending', 'claimed')"
        " AND (due_at IS NULL OR due_at <= %s OR state = 'claimed'))"
        " ORDER BY bot.id LIMIT %s",
        [now, limit],
    )


def _not_leased(key: str) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {_LEASES} AS lease WHERE lease.key = {key})"  # noqa: S608  constants


def may_look() -> bool:
    """Tell whether no other worker looks for what nobody runs; until the transaction ends."""
    return bool(fetch("SELECT pg_try_advisory_xact_lock(%s, %s)", _LOOKING)[0][0])


@dataclass(slots=True)
class Calls:
    """Calls taken in hand: new ones, and ones that have waited, for an operator perhaps."""

    new: list[Item] = field(default_factory=list)
    waited: list[Item] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.new) + len(self.waited)

    def __iadd__(self, other: Calls) -> Self:
        self.new += other.new
        self.waited += other.waited
        return self


def claim_all_items(owner: int, bots: Sequence[int]) -> Calls:
    """Take in hand what another worker had in hand of bots that were leased just now."""
    rows = fetch(
        f"UPDATE {ITEMS} SET owner = %s WHERE integration_id = ANY(%s)"  # noqa: S608  constants
        f" AND state IN ('pending', 'claimed', 'suspended') AND state = 'claimed'"
        f" RETURNING {ITEM_COLUMNS}",
        [owner, list(bots)],
    )
    return Calls(waited=sorted((item_of(row) for row in rows), key=_id))


def claim_items(
    owner: int, bots: Sequence[int], now: datetime, limit: int, priorities: Sequence[str]
) -> Calls:
    """Take the oldest calls in hand that wait for bots that this worker has leased."""
    rows = fetch(
        f"UPDATE {ITEMS} SET state = 'claimed', owner = %s WHERE id IN ("  # noqa: S608  constants
        " SELECT found.id FROM unnest(%s::bigint[]) AS leased (bot) CROSS JOIN LATERAL ("
        f" SELECT id FROM {ITEMS} WHERE integration_id = leased.bot AND state = 'pending'"
        " AND priority = ANY(%s) AND (due_at IS NULL OR due_at <= %s) ORDER BY id LIMIT %s"
        ") AS found LIMIT %s) AND state = 'pending'"
        f" RETURNING error_code <> '' OR created_at < %s, {ITEM_COLUMNS}",
        [owner, list(bots), list(priorities), now, limit, limit, now - _WAITED],
    )
    return Calls(
        new=sorted((item_of(row) for waited, *row in rows if not waited), key=_id),
        waited=sorted((item_of(row) for waited, *row in rows if waited), key=_id),
    )


def _id(item: Item) -> int:
    return item.id


def let_bots_go(owner: int, bots: Iterable[int], now: datetime) -> list[int]:
    """Let delivery lanes go for which nothing waits; gives those that are gone."""
    keys = sorted(f"{BOT}{bot}" for bot in bots)
    execute(
        f"SELECT 1 FROM {_LEASES} WHERE key = ANY(%s) AND owner = %s"  # noqa: S608  a constant name
        " ORDER BY key FOR UPDATE",
        [keys, owner],
    )
    gone = _keys(
        f"DELETE FROM {_LEASES} AS lease WHERE key = ANY(%s) AND owner = %s AND NOT EXISTS ("  # noqa: S608  constants
        f" SELECT 1 FROM {ITEMS} WHERE integration_id = substr(lease.key, {len(BOT) + 1})::bigint"
        " AND state IN ('pending', 'claimed')"
        " AND (due_at IS NULL OR due_at <= %s OR state = 'claimed'))"
        " RETURNING key",
        [keys, owner, now],
    )
    return [bot_of(key) for key in gone]


def bot_of(key: str) -> int:
    return int(key.removeprefix(BOT))


# Workers: all times are the database's own.


def enter(worker: int, name: str, version: str) -> None:
    execute(
        f"INSERT INTO {_WORKERS} (id, name, version, started_at, seen_at)"  # noqa: S608  a constant name
        " VALUES (%s, %s, %s, now(), now())",
        [worker, name, version],
    )


def beat(worker: int) -> bool:
    """Say that a worker lives; False if it was taken for dead."""
    return bool(
        fetch(
            f"UPDATE {_WORKERS} SET seen_at = now() WHERE id = %s RETURNING id",  # noqa: S608  a constant name
            [worker],
        )
    )


def leave(worker: int) -> None:
    execute(f"DELETE FROM {_WORKERS} WHERE id = %s", [worker])  # noqa: S608  a constant name


def bury(seconds: float) -> list[int]:
    """Take workers for dead that were not seen for so long; gives their ids."""
    rows = fetch(
        f"DELETE FROM {_WORKERS} WHERE seen_at < now() - make_interval(secs => %s) RETURNING id",  # noqa: S608  a constant name
        [seconds],
    )
    return [row[0] for row in rows]


def tell_owner(bots: Iterable[int], channel: str) -> None:
    """Let the workers know, at the commit, that calls wait for bots that one of them runs."""
    execute(
        "SELECT pg_notify(%s, bot) FROM unnest(%s::text[]) AS told (bot)",
        [channel, [str(bot) for bot in sorted(bots)]],
    )


def _keys(statement: str, values: Sequence[object]) -> list[str]:
    return [row[0] for row in fetch(statement, values)]
