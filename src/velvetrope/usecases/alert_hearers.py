"""Whom an integration's bot tells of alerts: named by an id, or linked by a code of the console."""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

from django.db import transaction

from velvetrope.domain.validation import Invalid
from velvetrope.store.encryption import installation_keys
from velvetrope.store.models import Integration
from velvetrope.usecases.alert_telling import note_heard
from velvetrope.usecases.audit import record
from velvetrope.usecases.services import DEEP_LINK

if TYPE_CHECKING:
    from datetime import datetime

#: Seconds; a code holds for one to two of these.
_SLOT: Final = 900
_LENGTH: Final = 12
_CODE: Final = re.compile(rf"[0-9a-f]{{{_LENGTH}}}")
#: What the deep link's payload begins with; the code follows.
PAYLOAD: Final = "alerts-"
_LARGEST: Final = 2**52


def link_code(row: Integration, now: datetime) -> str:
    """Give the code that links whoever sends it to the bot: `/alerts CODE`, or by `link_address`.

    It is made of the installation's key, the integration, the present hearer and the time, so that
    nothing is stored and a code that was used is worth nothing.
    """
    return _code(row, int(now.timestamp()) // _SLOT)


def link_address(row: Integration, now: datetime) -> str:
    """Give the address that opens the bot and sends it the code; empty for a bot unknown yet."""
    if not row.bot_username:
        return ""
    return f"{DEEP_LINK}/{row.bot_username}?start={PAYLOAD}{link_code(row, now)}"


def looks_like_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


def is_code_of(row: Integration, given: str, now: datetime) -> bool:
    """Tell whether a code is one of the last two that the console showed."""
    slot = int(now.timestamp()) // _SLOT
    return any(hmac.compare_digest(_code(row, one), given) for one in (slot, slot - 1))


def hear(integration_id: int, telegram_id: int | None, actor: str, now: datetime) -> bool:
    """Have the bot tell this person or chat of alerts, or nobody; False if it is so already.

    Raises Invalid for an id that Telegram never gives, and DoesNotExist.
    """
    if telegram_id is not None and not 0 < abs(telegram_id) < _LARGEST:
        remedy = "Give the number that Telegram knows the person or chat by."
        raise Invalid("telegram_id_malformed", "alerts_to", str(telegram_id), remedy)
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(id=integration_id)
        if row.alerts_to == telegram_id:
            return False
        before = row.alerts_to
        row.alerts_to = telegram_id
        row.save(update_fields=["alerts_to"])
        note_heard(row.id, now)
        record(
            actor,
            "integration.alerts_to_changed",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
            before={"alerts_to": before},
            after={"alerts_to": telegram_id},
        )
    return True


def _code(row: Integration, slot: int) -> str:
    text = f"alerts:{row.pk}:{row.alerts_to}:{slot}"
    return installation_keys().look_up_hash(text)[:_LENGTH]
