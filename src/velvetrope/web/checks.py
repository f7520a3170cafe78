"""Django's system checks for what can be wrong in production only; `velvetrope check` runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core import checks

from velvetrope.environment import is_private_host

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps import AppConfig

    from velvetrope.settings import Settings

TAG: Final = "velvetrope"


def register() -> None:
    """Add the checks to Django's; done once, after its set-up."""
    for check in (check_public_url, check_debug, check_keys, check_names, check_reports):
        checks.register(check, TAG)


def check_public_url(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[checks.CheckMessage]:
    """Find an address that Telegram and Stripe cannot reach, or not over TLS."""
    settings = _settings()
    parts = urlsplit(settings.public_url)
    found: list[checks.CheckMessage] = []
    if settings.production and is_private_host(parts.hostname or ""):
        found.append(
            checks.Error(
                "The public URL names this machine or a private network.",
                hint="Set VELVETROPE_PUBLIC_URL to the address that Telegram and Stripe reach.",
                id="velvetrope.E001",
            )
        )
    if settings.production and parts.scheme != "https":
        found.append(
            checks.Error(
                "The public URL is not https.",
                hint="Set VELVETROPE_PUBLIC_URL to https://…; Telegram delivers over TLS only.",
                id="velvetrope.E002",
            )
        )
    return found


def check_debug(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[checks.CheckMessage]:
    """Find error pages with local variables: they would show tokens."""
    if django_settings.DEBUG and _settings().production:
        hint = "Nothing in the environment turns it on: look for code that changes the settings."
        return [checks.Error("DEBUG is on in production.", hint=hint, id="velvetrope.E003")]
    return []


def check_keys(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[checks.CheckMessage]:
    """Find one text that both signs sessions and encrypts secrets."""
    settings = _settings()
    if settings.production and settings.secret_key in settings.encryption_keys:
        return [
            checks.Error(
                "VELVETROPE_SECRET_KEY is also one of VELVETROPE_ENCRYPTION_KEYS.",
                hint="Make another secret key; keep the encryption key, or its data are lost.",
                id="velvetrope.E004",
            )
        ]
    return []


def check_names(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[checks.CheckMessage]:
    """Find misspelt names, which would leave a setting at its default without a word."""
    return [
        checks.Warning(
            f"{name} is not a setting.",
            hint="docs/settings.md lists them all.",
            id="velvetrope.W001",
        )
        for name in _settings().unknown_names
    ]


def check_reports(
    app_configs: Sequence[AppConfig] | None,  # noqa: ARG001  Django's signature
    **_: Any,
) -> list[checks.CheckMessage]:
    """Say that errors are not reported, so that nobody relies on it."""
    if _settings().sentry_dsn:
        return [
            checks.Warning(
                "This version does not report errors to Sentry yet.",
                hint="Watch the log; VELVETROPE_SENTRY_DSN is kept for the version that does.",
                id="velvetrope.W002",
            )
        ]
    return []


def _settings() -> Settings:
    settings: Settings = getattr(django_settings, "VELVETROPE")  # noqa: B009  Django's stubs know only Django's names
    return settings
