"""The tag on every Stripe object of ours, so that all can be rebuilt from Stripe alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

INSTALLATION: Final = "velvetrope_installation"
INTEGRATION: Final = "velvetrope_integration"
TELEGRAM_USER: Final = "telegram_user_id"
TELEGRAM_CHAT: Final = "telegram_chat_id"
PLAN: Final = "velvetrope_plan"
LANGUAGE: Final = "velvetrope_language"

_INSTALLATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_NUMBER = re.compile(r"-?[1-9][0-9]{0,18}")
_INT64_MAX: Final = 2**63 - 1


class OwnerTag(msgspec.Struct, frozen=True):
    """To whom an object belongs: an installation, an integration of it, a person.

    `integration` is the bot's Telegram id and `plan` the price's id, which outlive a lost database;
    `telegram_chat_id` is where the person talks with the bot, `language` what they were spoken to
    in then.
    """

    installation: str
    integration: int
    telegram_user_id: int
    telegram_chat_id: int | None = None
    plan: str | None = None
    language: str | None = None


def build(tag: OwnerTag) -> dict[str, str]:
    """Write a tag as Stripe metadata."""
    values: dict[str, str | int | None] = {
        INSTALLATION: tag.installation,
        INTEGRATION: tag.integration,
        TELEGRAM_USER: tag.telegram_user_id,
        TELEGRAM_CHAT: tag.telegram_chat_id,
        PLAN: tag.plan,
        LANGUAGE: tag.language,
    }
    return {key: str(value) for key, value in values.items() if value is not None}


def parse(metadata: Mapping[str, str] | None) -> OwnerTag | None:
    """Read a tag; None unless installation, integration and person are all there and make sense.

    Anybody with access to the account can edit metadata, so whatever is no tag is nobody's.
    """
    if not isinstance(metadata, Mapping):
        return None
    installation = metadata.get(INSTALLATION)
    integration = _number(metadata.get(INTEGRATION))
    person = _number(metadata.get(TELEGRAM_USER))
    if not isinstance(installation, str) or not _INSTALLATION.fullmatch(installation):
        return None
    if integration is None or person is None or integration < 0 or person < 0:
        return None
    chat, plan = _number(metadata.get(TELEGRAM_CHAT)), metadata.get(PLAN)
    language = metadata.get(LANGUAGE)
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        language = None
    return OwnerTag(installation, integration, person, chat, plan or None, language)


def _number(text: object) -> int | None:
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        return None
    number = int(text)
    return number if abs(number) <= _INT64_MAX else None
