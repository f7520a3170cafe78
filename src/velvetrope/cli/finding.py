"""Finds the rows that people name by an id, a name or a Telegram id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.cli.failures import CommandError, Exit
from velvetrope.domain import validation
from velvetrope.store.models import Chat, Customer, Integration, Plan

if TYPE_CHECKING:
    from django.db.models import QuerySet

_LARGEST: Final = 2**63 - 1


def find_bot(text: str) -> Integration:
    """Give the integration of this id, name or @username; CommandError if there is none."""
    rows = Integration.objects.select_related("stripe_account")
    number = _number(text)
    row = rows.filter(id=number).first() if number is not None else None
    row = row or rows.filter(name=text).first()
    row = row or rows.filter(bot_username__iexact=text.removeprefix("@")).first()
    if row is None:
        raise CommandError(
            "There is no such integration",
            where=validation.shown(text),
            remedy="List them with: velvetrope bots list",
            code=Exit.USAGE,
        )
    return row


def find_bots(text: str | None) -> list[Integration]:
    """Give the one that is named, or all of them in their order."""
    return [find_bot(text)] if text else list(Integration.objects.order_by("id"))


def find_member(text: str, bot: str | None) -> Customer:
    """Give the customer of this id, or with a bot the one of this Telegram user id."""
    rows: QuerySet[Customer] = Customer.objects.select_related("integration")
    number = _number(text)
    if number is None:
        raise CommandError(
            "A member is named by a number",
            where=validation.shown(text),
            remedy="Use the customer's id, or --bot with the Telegram user id",
            code=Exit.USAGE,
        )
    row = (
        rows.filter(integration=find_bot(bot), telegram_user_id=number).first()
        if bot
        else rows.filter(id=number).first()
    )
    if row is None:
        raise CommandError(
            "There is no such member",
            where=text,
            remedy="List them with: velvetrope members list; a person is known after /start",
            code=Exit.USAGE,
        )
    return row


def find_plan(text: str, integration_id: int) -> Plan:
    """Give the integration's plan of this id or price."""
    rows = Plan.objects.filter(integration_id=integration_id)
    number = _number(text)
    row = rows.filter(id=number).first() if number is not None else None
    row = row or rows.filter(stripe_price_id=text).first()
    if row is None:
        raise CommandError(
            "The bot has no such plan",
            where=validation.shown(text),
            remedy="List them with: velvetrope plans list",
            code=Exit.USAGE,
        )
    return row


def find_chat(row: Integration, telegram_id: int) -> Chat:
    """Give the integration's chat of this Telegram id."""
    chat = row.chats.filter(telegram_id=telegram_id).first()
    if chat is None:
        raise CommandError(
            "The bot has no such chat",
            where=str(telegram_id),
            remedy="See them with: velvetrope bots show BOT",
            code=Exit.USAGE,
        )
    return chat


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= _LARGEST else None
