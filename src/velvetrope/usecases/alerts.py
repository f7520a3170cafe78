"""What operators have to know or mend: opened once however often it is seen, closed when over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from velvetrope.store.models import Alert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong now: a code with words, what in particular, plain data for both."""

    code: str
    subject: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


def open_alert(
    code: str,
    now: datetime,
    *,
    integration_id: int | None = None,
    stripe_account_id: int | None = None,
    subject: str = "",
    data: Mapping[str, object] | None = None,
) -> bool:
    """Open an alert within the caller's transaction; False if it is open already.

    `code` is one that the console explains, `data` holds plain values for that explanation; those
    of an alert that is open already become these.
    """
    key = _key(code, integration_id, stripe_account_id, subject)
    row = Alert(
        code=code,
        integration_id=integration_id,
        stripe_account_id=stripe_account_id,
        subject=subject,
        key=key,
        data=dict(data or {}),
        opened_at=now,
    )
    Alert.objects.bulk_create([row], ignore_conflicts=True)
    if not Alert.objects.filter(pk=row.pk).exists():
        Alert.objects.filter(key=key, closed_at=None).exclude(data=row.data).update(data=row.data)
        return False
    log.error(
        "alert_opened",
        code=code,
        integration_id=integration_id,
        stripe_account_id=stripe_account_id,
        subject=subject,
    )
    return True


def close_alert(
    code: str,
    now: datetime,
    *,
    integration_id: int | None = None,
    stripe_account_id: int | None = None,
    subject: str = "",
) -> bool:
    """Close an alert, if it is open, within the caller's transaction; tells if it was."""
    key = _key(code, integration_id, stripe_account_id, subject)
    return _close(Alert.objects.filter(key=key, closed_at=None).values_list("pk", flat=True), now)


def keep_alerts(
    codes: Collection[str],
    subjects: Collection[tuple[str, str]],
    now: datetime,
    *,
    integration_id: int | None = None,
    stripe_account_id: int | None = None,
    within: str | None = None,
) -> None:
    """Close those open alerts with one of the codes whose (code, subject) is not listed.

    `within` is the only subject that is looked at; None looks at all.
    """
    whose: dict[str, object] = {
        "integration_id": integration_id,
        "stripe_account_id": stripe_account_id,
    }
    if within is not None:
        whose["subject"] = within
    rows = Alert.objects.filter(code__in=codes, closed_at=None, **whose).values_list(
        "pk", "code", "subject"
    )
    _close([pk for pk, code, subject in rows if (code, subject) not in subjects], now)


def match_alerts(
    codes: Collection[str],
    troubles: Sequence[Trouble],
    now: datetime,
    *,
    integration_id: int | None = None,
    stripe_account_id: int | None = None,
    within: str | None = None,
) -> None:
    """Make the open alerts with these codes, and with the subject `within`, be these troubles."""
    wanted = {(one.code, one.subject): one for one in troubles}
    keep_alerts(
        codes,
        wanted.keys(),
        now,
        integration_id=integration_id,
        stripe_account_id=stripe_account_id,
        within=within,
    )
    for one in wanted.values():
        open_alert(
            one.code,
            now,
            integration_id=integration_id,
            stripe_account_id=stripe_account_id,
            subject=one.subject,
            data=one.data,
        )


def _close(keys: Iterable[int], now: datetime) -> bool:
    closed = Alert.objects.filter(pk__in=list(keys), closed_at=None).update(closed_at=now)
    if closed:
        log.info("alerts_closed", count=closed)
    return bool(closed)


def _key(code: str, integration_id: int | None, stripe_account_id: int | None, subject: str) -> str:
    whose = f"i{integration_id}" if integration_id is not None else f"s{stripe_account_id or ''}"
    return f"{code}:{whose}:{subject}"
