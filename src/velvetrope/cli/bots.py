"""The integrations: connected, looked at, registered, switched off and on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from velvetrope.cli import records
from velvetrope.cli.failures import CommandError, Exit
from velvetrope.cli.finding import find_bot
from velvetrope.cli.looking import Finding, look_at, of_problem
from velvetrope.cli.opening import ACTOR
from velvetrope.cli.output import print_json, print_record, print_records, say
from velvetrope.cli.vendors import with_vendors
from velvetrope.cli.waiting import finish_job, newest_job
from velvetrope.domain import validation
from velvetrope.domain.states import Registration
from velvetrope.store.models import Integration, StripeAccount
from velvetrope.usecases import onboarding, operations
from velvetrope.usecases.onboarding import NewIntegration, examine, examine_bot

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from velvetrope.bootstrap import Application
    from velvetrope.gateways.telegram.bot import BotApi
    from velvetrope.usecases.onboarding import Examination

#: Where a token may stand so that neither the shell's history nor the list of processes has it.
TOKEN_VARIABLE: Final = "TELEGRAM_BOT_TOKEN"  # noqa: S105  its name, not a token


def add(options: argparse.Namespace) -> int:
    """Verify a bot first, then store and register it: what can't work is not stored."""
    token = validation.bot_token(_read_token(options.token))
    chats = validation.chat_ids(options.chat, field="--chat")
    prices = validation.price_ids(options.price, field="--price")
    found = with_vendors(options.settings, lambda app: _examine(app, options, token, chats, prices))
    if found.problems:
        return _refuse(found, options)
    name = options.name or (found.bot.first_name if found.bot else "")
    row = onboarding.create_integration(
        NewIntegration(
            token=token,
            chats=[chat.moved_to or chat.telegram_id for chat in found.chats],
            prices=prices,
            name=name,
            language=options.language,
            time_zone=options.time_zone,
            stripe_account_id=_account(options.stripe_account).pk,
            terms_url=options.terms_url,
            privacy_url=options.privacy_url,
            support_contact=options.support,
        ),
        ACTOR,
    )
    return _registered(options, row, newest_job(row.pk, onboarding.REGISTER))


def list_all(options: argparse.Namespace) -> int:
    rows = Integration.objects.order_by("id")
    found = [records.bot(row) for row in rows]
    print_records(found, as_json=options.json, empty="No bot yet: velvetrope bots add --help")
    return Exit.DONE


def show(options: argparse.Namespace) -> int:
    print_record(records.bot_in_full(find_bot(options.bot)), as_json=options.json)
    return Exit.DONE


def verify(options: argparse.Namespace) -> int:
    """Look at everything and say what to mend; fails if there is something."""
    row = find_bot(options.bot)

    async def look(application: Application) -> Sequence[Finding]:
        view = await application.services.view(row.pk)
        return [] if view is None else await look_at(application, view)

    findings = with_vendors(options.settings, look)
    print_records([one.record for one in findings], as_json=options.json, empty="It is gone.")
    return Exit.FAILED if any(one.level == "error" for one in findings) else Exit.DONE


def register(options: argparse.Namespace) -> int:
    row = find_bot(options.bot)
    return _registered(options, row, operations.verify(row.pk, ACTOR))


def rotate_secret(options: argparse.Namespace) -> int:
    row = find_bot(options.bot)
    return _registered(options, row, onboarding.rotate_webhook_secret(row.pk, ACTOR))


def set_token(options: argparse.Namespace) -> int:
    """Replace the token, have the webhook registered, and let out what waited for it.

    Telegram is asked first: what doesn't work takes the place of nothing.
    """
    row = find_bot(options.bot)
    token = validation.bot_token(_read_token(options.token))
    found = with_vendors(
        options.settings, lambda app: examine_bot(_bot(app, token), (), bot_id=row.bot_id)
    )
    if found.problems:
        return _refuse(found, options)
    onboarding.update_integration(row.pk, {"token": token}, ACTOR)
    return _registered(options, row, newest_job(row.pk, onboarding.REGISTER))


def replace_chat(options: argparse.Namespace) -> int:
    """Let a new chat take the place of another; whoever holds a right is shown the way in."""
    row = find_bot(options.bot)
    chat = row.chats.filter(telegram_id=options.old).first()
    if chat is None:
        raise CommandError(
            "The bot opens no such chat",
            where=str(options.old),
            remedy="List its chats with: velvetrope bots show",
            code=Exit.USAGE,
        )
    return _registered(options, row, operations.replace_chat(chat.pk, options.new, ACTOR))


def disable(options: argparse.Namespace) -> int:
    row = find_bot(options.bot)
    if not operations.set_active(row.pk, ACTOR, active=False):
        say(f"{row.name} is off already.")
    row.refresh_from_db()
    print_record(records.bot(row), as_json=options.json)
    return Exit.DONE


def enable(options: argparse.Namespace) -> int:
    row = find_bot(options.bot)
    if not operations.set_active(row.pk, ACTOR, active=True):
        say(f"{row.name} is on already.")
        print_record(records.bot_in_full(row), as_json=options.json)
        return Exit.DONE
    return _registered(options, row, newest_job(row.pk, onboarding.REGISTER))


def _registered(options: argparse.Namespace, row: Integration, job: str) -> int:
    """Wait for the registration and print how the integration is; fails if it isn't well."""
    done = finish_job(options.settings, row.pk, job, seconds=options.wait)
    row.refresh_from_db()
    print_record(records.bot_in_full(row), as_json=options.json)
    if row.registration == Registration.REGISTERED and not row.problems:
        return Exit.DONE
    if done.error_code:
        say(f"The registration failed: {done.error_code}. It is tried again while the server runs.")
    else:
        is_in = "" if row.registration == Registration.REGISTERED else " not"
        say(f"It is{is_in} registered. Mend the problems above, then: velvetrope bots register")
    return Exit.FAILED


async def _examine(
    application: Application,
    options: argparse.Namespace,
    token: str,
    chats: Sequence[int],
    prices: Sequence[str],
) -> Examination:
    account = await application.db.read(lambda: _account(options.stripe_account))
    gateway = await application.stripe.gateway(account.pk)
    return await examine(_bot(application, token), gateway, chats, prices)


def _bot(application: Application, token: str) -> BotApi:
    from velvetrope.store.encryption import Secret  # noqa: PLC0415  only where a token comes in

    return application.bot(Secret(token))


def _account(name: str) -> StripeAccount:
    """Give the Stripe account that is named, or the one of the environment."""
    rows = StripeAccount.objects
    row = rows.filter(name=name).first() if name else rows.filter(from_environment=True).first()
    if row is None:
        raise CommandError(
            "There is no such Stripe account" if name else "No Stripe account is known",
            where=validation.shown(name),
            remedy="Set VELVETROPE_STRIPE_API_KEY, or add an account in the console",
            code=Exit.USAGE,
        )
    return row


def _read_token(given: str | None) -> str:
    """Take the token from the option, from standard input, or from the environment."""
    if given and given != "-":
        say("A token on the command line stays in the shell's history; next time use --token -")
        return given
    piped = given == "-"
    token = (sys.stdin.readline() if piped else os.environ.get(TOKEN_VARIABLE, "")).strip()
    if not token:
        raise CommandError(
            "Standard input held no token" if piped else "No token was given",
            remedy=f"Copy it from @BotFather and pipe it in (--token -), or set {TOKEN_VARIABLE}",
            code=Exit.USAGE,
        )
    return token


def _refuse(found: Examination, options: argparse.Namespace) -> int:
    """Say what is to be mended; nothing was stored."""
    findings = [of_problem("bot", one, options.settings) for one in found.problems]
    if options.json:
        print_json({"problems": [one.record for one in findings]})
    for one in findings:
        say(f"{one.what} {one.fix}")
    say("Nothing was stored. Mend this and run the command again.")
    return Exit.FAILED
