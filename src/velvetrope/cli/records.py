"""Rows as commands print them: no payloads in lists, and secrets nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.secrecy import scrub
from velvetrope.usecases.wording.problems import explain, explain_all

if TYPE_CHECKING:
    from velvetrope.cli.output import Record, Value
    from velvetrope.store.models import Chat, Customer, Entitlement, InboxEvent, Integration, Plan
    from velvetrope.usecases.operations import AlertInWords, DeadLetter


def bot(row: Integration) -> dict[str, Value]:
    """Give one line of the list."""
    problems = [*explain_all(row.problems)]
    return {
        "id": row.pk,
        "name": row.name,
        "bot": f"@{row.bot_username}" if row.bot_username else "",
        "active": row.active,
        "registration": row.registration,
        "language": row.language,
        "chats": row.chats.count(),
        "plans": row.plans.count(),
        "problems": len(problems),
    }


def bot_in_full(row: Integration) -> dict[str, Value]:
    """Give all that an operator configured, and what is wrong in words."""
    return {
        "id": row.pk,
        "name": row.name,
        "bot": f"@{row.bot_username}" if row.bot_username else "",
        "bot_id": row.bot_id,
        "active": row.active,
        "registration": row.registration,
        "verified_at": row.verified_at,
        "language": row.language,
        "time_zone": row.time_zone,
        "stripe_account": row.stripe_account.name,
        "terms_url": row.terms_url,
        "privacy_url": row.privacy_url,
        "support_contact": row.support_contact,
        "alerts_to": row.alerts_to,
        "chats": [chat(one) for one in row.chats.order_by("id")],
        "plans": [plan(one) for one in row.plans.all()],
        "problems": problems(row.problems),
    }


def chat(row: Chat) -> dict[str, Value]:
    return {
        "id": row.telegram_id,
        "title": row.title,
        "kind": row.kind,
        "problem": _problem(row.problem),
    }


def plan(row: Plan) -> dict[str, Value]:
    return {
        "id": row.pk,
        "bot": row.integration.name,
        "price": row.stripe_price_id,
        "name": row.product_name,
        "amount": row.unit_amount,
        "currency": row.currency,
        "every": period(row),
        "for_sale": row.on_sale and row.sellable,
        "synced_at": row.synced_at,
        "problem": _problem(row.problem),
    }


def period(row: Plan) -> str:
    """Give «month», «3 month» or «one_time» as Stripe names them."""
    if row.interval_count <= 1:
        return row.interval
    return f"{row.interval_count} {row.interval}"


def problems(stored: object) -> list[Value]:
    return [
        {"code": one.code, "what": one.what, "fix": one.fix, "details": scrub(one.details)}
        for one in explain_all(stored)
    ]


def _problem(stored: object) -> str:
    return explain(stored).what if stored else ""


def event(row: InboxEvent) -> dict[str, Value]:
    return {
        "id": row.pk,
        "source": row.source,
        "account": row.account,
        "kind": row.kind,
        "state": row.state,
        "outcome": row.outcome,
        "attempts": row.attempts,
        "error": row.error_code,
        "lane": row.lane,
        "received_at": row.received_at,
        "finished_at": row.finished_at,
    }


def letter(found: DeadLetter) -> dict[str, Value]:
    return {
        "letter": str(found.ref),
        "what": found.what,
        "where": found.where,
        "source": found.source,
        "error": found.error_code,
        "attempts": found.attempts,
        "at": found.at,
    }


def alert(found: AlertInWords) -> dict[str, Value]:
    row = found.row
    return {
        "id": row.pk,
        "code": row.code,
        "where": found.where,
        "since": row.opened_at,
        "over": row.closed_at,
        "told": row.told_at,
        "what": found.said.what,
        "details": scrub(found.said.details),
        "fix": found.said.fix,
    }


def member(row: Customer) -> dict[str, Value]:
    return {
        "id": row.pk,
        "bot": row.integration.name,
        "telegram_user": row.telegram_user_id,
        "name": row.first_name,
        "username": row.username,
        "language": row.chosen_language or row.telegram_language,
        "blocked": row.blocked_at is not None,
        "deleted": row.deactivated_at is not None,
        "since": row.created_at,
    }


def member_in_full(row: Customer) -> dict[str, Value]:
    """Give a member with every entitlement and every chat's access."""
    entitlements = row.entitlement_set.select_related("plan").order_by("id")
    accesses = row.access_set.select_related("chat").order_by("id")
    return {
        **member(row),
        "source": row.source,
        "stripe_customer": row.stripe_customer_id,
        "entitlements": [entitlement(one) for one in entitlements],
        "access": [
            {
                "chat": one.chat.telegram_id,
                "title": one.chat.title,
                "should_be_in": one.desired,
                "seen": one.observed,
                "seen_at": one.observed_at,
                "problem": one.problem,
            }
            for one in accesses
        ],
    }


def entitlement(row: Entitlement) -> Record:
    return {
        "id": row.pk,
        "plan": row.plan.product_name or row.plan.stripe_price_id,
        "kind": row.kind,
        "ground": row.external_id,
        "paid_by": row.stripe_customer_id,
        "holds": row.holds,
        "status": row.status,
        "reason": row.reason,
        "period_end": row.period_end,
        "ends_at": row.ends_at,
        "note": row.note,
    }
