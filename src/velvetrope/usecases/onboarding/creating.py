"""Integrations as operators write them down; Telegram and Stripe are asked by a job afterwards."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import transaction

from velvetrope.domain import validation
from velvetrope.domain.states import GIVEN, Registration
from velvetrope.domain.validation import Invalid
from velvetrope.store.clock import present
from velvetrope.store.encryption import Secret, installation_keys
from velvetrope.store.models import Chat, Entitlement, Integration, Plan, PlanChat, StripeAccount
from velvetrope.usecases.audit import SECRET_REPLACED, SECRET_SET, plain, record
from velvetrope.usecases.onboarding.jobs import request_registration
from velvetrope.usecases.reminding.replanning import request_replan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from velvetrope.usecases.audit import Plain

#: Columns that an operator changes as they are; each with the rule that judges it.
_RULES: Final[Mapping[str, Callable[[object], str]]] = {
    "name": lambda value: validation.name(value, longest=64),
    "language": validation.language,
    "time_zone": validation.time_zone,
    "terms_url": lambda value: _optional_url(value, "terms_url"),
    "privacy_url": lambda value: _optional_url(value, "privacy_url"),
    "support_contact": lambda value: _optional_name(value, "support_contact"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIntegration:
    """What an operator gives to connect a bot; texts are judged by domain/validation.py."""

    token: str
    chats: str | Sequence[str | int]
    prices: str | Sequence[str]
    name: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    #: None: the one of the environment.
    stripe_account_id: int | None = None
    terms_url: str = ""
    privacy_url: str = ""
    support_contact: str = ""


def create_integration(new: NewIntegration, actor: str) -> Integration:
    """Store an integration with its chats and plans, and have it registered. Raises Invalid."""
    token = validation.bot_token(new.token)
    bot_id = validation.bot_id_of(token)
    chat_ids = validation.chat_ids(new.chats)
    price_ids = validation.price_ids(new.prices)
    values = {name: rule(getattr(new, name)) for name, rule in _RULES.items() if name != "name"}
    with transaction.atomic():
        if Integration.objects.filter(bot_id=bot_id).exists():
            raise Invalid("bot_known", "token", "", "This bot is connected already; change it.")
        secret = _free_webhook_secret()
        row = Integration(
            name=_free_name(new.name or f"bot {bot_id}", None),
            token=Secret(token),
            bot_id=bot_id,
            webhook_secret=Secret(secret),
            webhook_secret_hash=installation_keys().look_up_hash(secret),
            stripe_account=_account(new.stripe_account_id),
            **values,
        )
        row.save()
        _write_chats(row, chat_ids)
        _write_plans(row, price_ids)
        record(
            actor,
            "integration.created",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
            after=plain(row, ("name", "language", "time_zone", "bot_id"))
            | {"token": SECRET_SET, "chats": list(chat_ids), "prices": list(price_ids)},
        )
        request_registration(row.id)
    return row


def update_integration(
    integration_id: int, changes: Mapping[str, object], actor: str
) -> Integration:
    """Change an integration; only the names given, a blank `token` keeps the stored one.

    Names: those of `NewIntegration`, with `chats` and `prices` as the whole new lists. Raises
    Invalid, and DoesNotExist for an unknown integration. A change that Telegram or Stripe has to
    confirm has the integration registered again.
    """
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(id=integration_id)
        before = _described(row)
        for name in _RULES.keys() & changes.keys():
            setattr(row, name, _RULES[name](changes[name]))
        if "name" in changes:
            row.name = _free_name(row.name, row.id)
        if changes.get("stripe_account_id"):
            account = _account(_number(changes["stripe_account_id"]))
            if account.pk != row.stripe_account_id:
                _check_nothing_rests_on_account(row)
            row.stripe_account = account
        replaced = _replace_token(row, changes.get("token"))
        if "chats" in changes:
            _write_chats(row, validation.chat_ids(changes["chats"]))
        if "prices" in changes:
            _write_plans(row, validation.price_ids(changes["prices"]))
        row.save()
        after = _described(row)
        if replaced:
            after["token"] = SECRET_REPLACED
        if after == before:
            return row
        record(
            actor,
            "integration.changed",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
            before=before,
            after=after,
        )
        request_registration(row.id)
        if after["time_zone"] != before["time_zone"]:
            request_replan(row.id, f"zone:{present():%Y%m%dT%H%M%S%f}")  # civil hours have moved
    return row


def rotate_webhook_secret(integration_id: int, actor: str) -> str:
    """Make a new webhook secret and have it registered; the old one ends at once.

    Gives the job's external id, by which its end can be looked up.
    """
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(id=integration_id)
        secret = _free_webhook_secret()
        row.webhook_secret = Secret(secret)
        row.webhook_secret_hash = installation_keys().look_up_hash(secret)
        row.registration = Registration.PENDING.value
        row.save()
        record(
            actor,
            "integration.webhook_secret_rotated",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
            after={"webhook_secret": SECRET_REPLACED},
        )
        return request_registration(row.id)


def _described(row: Integration) -> dict[str, Plain]:
    names = (*_RULES, "bot_id", "stripe_account")
    return {
        **plain(row, names),
        "chats": [*sorted(row.chats.values_list("telegram_id", flat=True))],
        "prices": [*sorted(row.plans.values_list("stripe_price_id", flat=True))],
    }


def _replace_token(row: Integration, value: object) -> bool:
    if not value:
        return False
    token = validation.bot_token(value)
    if validation.bot_id_of(token) != row.bot_id:
        remedy = "This token is of another bot: connect that one as a new integration."
        raise Invalid("token_of_another_bot", "token", "", remedy)
    row.token = Secret(token)
    row.registration = Registration.PENDING.value
    return True


def _free_webhook_secret() -> str:
    """Make a secret whose hash no row has; 256 random bits never meet, the column is unique."""
    return secrets.token_urlsafe(32)


def _free_name(name: str, own_id: int | None) -> str:
    name = validation.name(name, longest=64)
    others = Integration.objects.filter(name=name)
    if (others if own_id is None else others.exclude(id=own_id)).exists():
        raise Invalid("name_taken", "name", name, "Another integration has this name.")
    return name


def _account(account_id: int | None) -> StripeAccount:
    query = (
        StripeAccount.objects.filter(from_environment=True)
        if account_id is None
        else StripeAccount.objects.filter(id=account_id)
    )
    account = query.first()
    if account is None:
        remedy = "Set VELVETROPE_STRIPE_API_KEY and restart, or choose an account of the console."
        raise Invalid("stripe_account_unknown", "stripe_account", "", remedy)
    return account


def _check_nothing_rests_on_account(row: Integration) -> None:
    """Keep the account of what is held: no other one would ever tell how it goes on, or ends."""
    rights = Entitlement.objects.filter(customer__integration=row, holds=True)
    if rights.exclude(kind__in=GIVEN).exists():
        remedy = "Customers hold what they bought there. Connect another bot to sell from this one."
        raise Invalid("stripe_account_in_use", "stripe_account", "", remedy)


def _write_chats(row: Integration, chat_ids: Sequence[int]) -> None:
    """Make the integration's chats these; one that customers are in can't be dropped."""
    known = {chat.telegram_id: chat for chat in row.chats.all()}
    for telegram_id in known.keys() - set(chat_ids):
        if known[telegram_id].access_set.filter(desired=True).exists():
            remedy = "Customers hold access to this chat: take it out of its plans first."
            raise Invalid("chat_in_use", "chats", str(telegram_id), remedy)
        known[telegram_id].delete()
    for telegram_id in chat_ids:
        if telegram_id not in known:
            Chat.objects.create(integration=row, telegram_id=telegram_id)


def _write_plans(row: Integration, price_ids: Sequence[str]) -> None:
    """Make the integration sell these prices; one that customers hold is only taken off sale.

    A new plan opens all chats of the integration.
    """
    known = {plan.stripe_price_id: plan for plan in row.plans.all()}
    for price_id in known.keys() - set(price_ids):
        plan = known[price_id]
        if plan.entitlement_set.exists() or plan.checkout_set.exists():
            plan.on_sale = False
            plan.save()
        else:
            plan.delete()
    chats = list(row.chats.all())
    for position, price_id in enumerate(price_ids):
        plan = known.get(price_id) or Plan(integration=row, stripe_price_id=price_id)
        is_new = plan.pk is None
        plan.position, plan.on_sale = position, True
        plan.save()
        if is_new:
            PlanChat.objects.bulk_create(PlanChat(plan=plan, chat=chat) for chat in chats)


def _optional_url(value: object, field: str) -> str:
    return validation.url(value, field=field) if value else ""


def _optional_name(value: object, field: str) -> str:
    return validation.name(value, field=field, longest=128) if value else ""


def _number(value: object) -> int:
    if isinstance(value, int):
        return value
    raise Invalid("stripe_account_unknown", "stripe_account", "", "Choose one of the accounts.")
