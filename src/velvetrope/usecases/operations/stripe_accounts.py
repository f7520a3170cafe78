"""Stripe accounts with a key of their own; the one of the environment is changed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F

from velvetrope.domain import validation
from velvetrope.domain.validation import Invalid
from velvetrope.store.encryption import Secret
from velvetrope.store.models import StripeAccount
from velvetrope.usecases.audit import SECRET_REPLACED, SECRET_SET, record
from velvetrope.usecases.onboarding.jobs import request_registration

if TYPE_CHECKING:
    from velvetrope.usecases.audit import Plain


def add_stripe_account(name: str, api_key: str, webhook_secrets: str, actor: str) -> int:
    """Store an account; gives its id. Raises Invalid."""
    with transaction.atomic():
        account = StripeAccount(
            name=_free_name(name, None),
            api_key=Secret(validation.stripe_api_key(api_key, field="api_key")),
            webhook_secrets=Secret(signing_secrets(webhook_secrets)),
        )
        account.livemode = _is_live(api_key)
        account.save()
        record(
            actor,
            "stripe_account.created",
            subject="stripe_account",
            subject_id=account.id,
            after={"name": account.name, "api_key": SECRET_SET, "webhook_secrets": SECRET_SET},
        )
    return account.id


def change_stripe_account(
    account_id: int, *, name: str, api_key: str, webhook_secrets: str, actor: str
) -> None:
    """Change an account; an empty key or empty secrets keep what is stored. Raises Invalid."""
    with transaction.atomic():
        account = StripeAccount.objects.select_for_update().get(id=account_id)
        if account.from_environment and (api_key or webhook_secrets):
            remedy = "Change VELVETROPE_STRIPE_API_KEY and …_WEBHOOK_SECRETS, then restart."
            raise Invalid("stripe_account_from_environment", "api_key", "", remedy)
        before: dict[str, Plain] = {"name": account.name}
        account.name = _free_name(name, account.id)
        after: dict[str, Plain] = {"name": account.name}
        if api_key:
            account.api_key = Secret(validation.stripe_api_key(api_key, field="api_key"))
            _check_same_mode(account, api_key)
            account.livemode = _is_live(api_key)
            after["api_key"] = SECRET_REPLACED
        if webhook_secrets:
            account.webhook_secrets = Secret(signing_secrets(webhook_secrets))
            after["webhook_secrets"] = SECRET_REPLACED
        if after == before:
            return
        account.save()
        StripeAccount.objects.filter(id=account.id).update(revision=F("revision") + 1)
        if api_key:  # one of those who sell from it finds out what the new key is worth
            seller = account.integration_set.filter(active=True).order_by("id").first()
            if seller is not None:
                request_registration(seller.pk)
            else:
                StripeAccount.objects.filter(id=account.id).update(problem=None)
        record(
            actor,
            "stripe_account.changed",
            subject="stripe_account",
            subject_id=account.id,
            before=before,
            after=after,
        )


def signing_secrets(value: str) -> str:
    """Read one or several signing secrets; gives them one a line. Raises Invalid."""
    found = value.replace(",", " ").replace(";", " ").split()
    if not found:
        remedy = "Give the signing secret (whsec_…) of the webhook endpoint in Stripe."
        raise Invalid("webhook_secret_missing", "webhook_secrets", "", remedy)
    checked = [validation.webhook_secret(one, field="webhook_secrets") for one in found]
    return "\n".join(dict.fromkeys(checked))


def _free_name(value: str, own_id: int | None) -> str:
    name = validation.name(value, longest=64)
    others = StripeAccount.objects.filter(name=name)
    if own_id is not None:
        others = others.exclude(id=own_id)
    if others.exists():
        raise Invalid("name_taken", "name", name, "There is an account of this name. Use another.")
    return name


def _is_live(api_key: str) -> bool:
    return "_live_" in api_key


def _check_same_mode(account: StripeAccount, api_key: str) -> None:
    """Refuse a key of the other mode: its prices and customers are different ones."""
    if account.livemode is not None and account.livemode != _is_live(api_key):
        remedy = "Test and live data are apart in Stripe. Add a second account for the other mode."
        raise Invalid("stripe_key_of_other_mode", "api_key", "", remedy)
