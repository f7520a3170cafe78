"""Django's system checks for what can be wrong in production only; `velvetrope check` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.core.checks import register as register_check

from velvetrope.environment import is_private_host
from velvetrope.web.django_config import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.apps import AppConfig

    from velvetrope.settings import Settings

TAG: Final = "velvetrope"


def register() -> None:
    """Add the check to Django's; done once, after its set-up."""
    register_check(check_installation, TAG)


def check_installation(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[CheckMessage]:
    """Judge the settings that this process runs with."""
    settings: Settings = getattr(django_settings, "VELVETROPE")  # noqa: B009  Django's stubs know only Django's names
    return [*judge(settings, debug=django_settings.DEBUG)]


def judge(settings: Settings, *, debug: bool) -> Iterator[CheckMessage]:
    """Find what the settings allow and an operator should not want."""
    if settings.production:
        yield from _judge_production(settings, debug=debug)
    for name in settings.unknown_names:
        # It would leave a setting at its default without a word.
        hint = "docs/settings.md lists them all."
        yield Caution(f"{name} is not a setting.", hint=hint, id="velvetrope.W001")
    size = settings.database.pool_size
    if size is not None and size < CONNECTIONS:
        what = (
            f"The pool has {size} connections for {CONNECTIONS} threads: they wait for each other."
        )
        hint = f"Set pool_size in VELVETROPE_DATABASE_URL to {CONNECTIONS}, or leave it out."
        yield Caution(what, hint=hint, id="velvetrope.W003")
    if settings.sentry_dsn:
        hint = "Watch the log; VELVETROPE_SENTRY_DSN is kept for the version that does."
        what = "This version does not report errors to Sentry yet."
        yield Caution(what, hint=hint, id="velvetrope.W002")


def _judge_production(settings: Settings, *, debug: bool) -> Iterator[CheckMessage]:
    parts = urlsplit(settings.public_url)
    if is_private_host(parts.hostname or ""):
        hint = "Set VELVETROPE_PUBLIC_URL to the address that Telegram and Stripe reach."
        what = "The public URL names this machine or a private network."
        yield Error(what, hint=hint, id="velvetrope.E001")
    if parts.scheme != "https":
        hint = "Set VELVETROPE_PUBLIC_URL to https://…; Telegram delivers over TLS only."
        yield Error("The public URL is not https.", hint=hint, id="velvetrope.E002")
    if debug:
        hint = "Nothing in the environment turns it on: look for code that changes the settings."
        yield Error("DEBUG is on in production.", hint=hint, id="velvetrope.E003")
    if settings.secret_key in settings.encryption_keys:
        hint = "Make another secret key; keep the encryption key, or its data are lost."
        what = "VELVETROPE_SECRET_KEY is also one of VELVETROPE_ENCRYPTION_KEYS."
        yield Error(what, hint=hint, id="velvetrope.E004")
