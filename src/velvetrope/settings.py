"""The settings, read from the environment and judged all at once before anything starts."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from velvetrope import environment
from velvetrope.database_url import Database, read_database
from velvetrope.environment import Reader

if TYPE_CHECKING:
    import ipaddress
    from collections.abc import Mapping, Sequence

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX: Final = "VELVETROPE_"
DEFAULT_DEVELOPMENT_URL: Final = "http://127.0.0.1:8000"
DEFAULT_TELEGRAM_API_URL: Final = "https://api.telegram.org"
DEFAULT_STRIPE_API_URL: Final = "https://api.stripe.com"

#: Every name that is understood; docs/settings.md describes each of them.
NAMES: Final = (
    "VELVETROPE_ENV",
    "VELVETROPE_PUBLIC_URL",
    "VELVETROPE_DATABASE_URL",
    "VELVETROPE_SECRET_KEY",
    "VELVETROPE_ENCRYPTION_KEYS",
    "VELVETROPE_STRIPE_API_KEY",
    "VELVETROPE_STRIPE_WEBHOOK_SECRETS",
    "VELVETROPE_TELEGRAM_API_URL",
    "VELVETROPE_STRIPE_API_URL",
    "VELVETROPE_TRUSTED_PROXIES",
    "VELVETROPE_ALLOWED_TELEGRAM_IPS",
    "VELVETROPE_ALLOWED_STRIPE_IPS",
    "VELVETROPE_METRICS_TOKEN",
    "VELVETROPE_SENTRY_DSN",
    "VELVETROPE_STRIPE_SILENCE_HOURS",
    "VELVETROPE_LOG_FORMAT",
    "VELVETROPE_CLOCK_FILE",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one variable; never shows what a secret holds."""

    name: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.name}: {self.what}. {self.remedy}"


class SettingsError(Exception):
    """The environment cannot be used; carries every problem, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Secrets are left out of its `repr`."""

    env: Literal["production", "development"]
    #: Without a closing slash. In development it may be unknown before the port is.
    public_url: str
    #: Whether the environment gave the address; otherwise serving may put its own port in.
    public_url_given: bool
    database: Database
    #: Empty in development until `with_development_keys` has filled it.
    secret_key: str = field(repr=False)
    #: The first encrypts, all decrypt.
    encryption_keys: tuple[str, ...] = field(repr=False)
    stripe_api_key: str | None = field(repr=False)
    stripe_webhook_secrets: tuple[str, ...] = field(repr=False)
    telegram_api_url: str
    stripe_api_url: str
    trusted_proxies: tuple[Network, ...]
    #: Empty: every address may deliver.
    allowed_telegram_ips: tuple[Network, ...]
    allowed_stripe_ips: tuple[Network, ...]
    metrics_token: str | None = field(repr=False)
    sentry_dsn: str | None = field(repr=False)
    #: Silence of Stripe that operators are told of; None: by how many subscribe, 0: never.
    stripe_silence_hours: int | None
    log_format: Literal["json", "console"]
    #: The sandbox's shifted time; never in production.
    clock_file: Path | None
    #: Names that begin like ours and mean nothing: most likely typing errors.
    unknown_names: tuple[str, ...]

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def public_host(self) -> str:
        return urlsplit(self.public_url).hostname or ""

    @property
    def data_dir(self) -> Path:
        """The folder that holds what the installation keeps beside its database."""
        return self.database.path.parent if self.database.path else Path("data")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret text of the settings, for those who have to keep them out of sight."""
        single = (self.secret_key, self.stripe_api_key, self.metrics_token, self.sentry_dsn)
        several = (*self.encryption_keys, *self.stripe_webhook_secrets)
        return tuple(text for text in (*single, *several, *self.database.secrets) if text)

    def reached_at(self, url: str) -> Settings:
        """Give these settings with the address that the process really serves at."""
        return replace(self, public_url=url.rstrip("/"))


def load(env: Mapping[str, str]) -> Settings:
    """Judge the whole environment; raises `SettingsError` with all problems.

    Reads no file and makes none: in development `with_development_keys` adds the keys.
    """
    read = Reader(env)
    kind = read.one_of("VELVETROPE_ENV", ("production", "development"), "production")
    production = kind == "production"
    settings = Settings(
        env="production" if production else "development",
        public_url=read.public_url(production=production, default=DEFAULT_DEVELOPMENT_URL),
        public_url_given=bool(read.text("VELVETROPE_PUBLIC_URL")),
        database=read_database(read),
        secret_key=read.key("VELVETROPE_SECRET_KEY", needed=production),
        encryption_keys=read.keys("VELVETROPE_ENCRYPTION_KEYS", needed=production),
        stripe_api_key=read.stripe_api_key(needed=production),
        stripe_webhook_secrets=read.stripe_webhook_secrets(needed=production),
        telegram_api_url=read.api_url(
            "VELVETROPE_TELEGRAM_API_URL", DEFAULT_TELEGRAM_API_URL, production=production
        ),
        stripe_api_url=read.api_url(
            "VELVETROPE_STRIPE_API_URL", DEFAULT_STRIPE_API_URL, production=production
        ),
        trusted_proxies=read.networks("VELVETROPE_TRUSTED_PROXIES"),
        allowed_telegram_ips=read.networks("VELVETROPE_ALLOWED_TELEGRAM_IPS"),
        allowed_stripe_ips=read.networks("VELVETROPE_ALLOWED_STRIPE_IPS"),
        metrics_token=read.token("VELVETROPE_METRICS_TOKEN"),
        sentry_dsn=read.dsn("VELVETROPE_SENTRY_DSN"),
        stripe_silence_hours=read.hours("VELVETROPE_STRIPE_SILENCE_HOURS"),
        log_format="console"
        if read.one_of(
            "VELVETROPE_LOG_FORMAT", ("json", "console"), "json" if production else "console"
        )
        == "console"
        else "json",
        clock_file=_clock_file(read, production=production),
        unknown_names=tuple(
            sorted(name for name in env if name.startswith(PREFIX) and name not in NAMES)
        ),
    )
    if read.problems:
        # A misspelt name may be why another one is missing.
        misspelt = [_misspelt(name) for name in settings.unknown_names]
        raise SettingsError([*(Problem(*problem) for problem in read.problems), *misspelt])
    return settings


def _misspelt(name: str) -> Problem:
    near = difflib.get_close_matches(name, NAMES, n=1)
    remedy = f"Did you mean {near[0]}?" if near else "Remove it; docs/settings.md lists them all."
    return Problem(name, "this is not a setting", remedy)


def with_development_keys(settings: Settings) -> Settings:
    """Fill in the keys that development was not given, generating them once into `data/`.

    The files are readable by their owner only. In production nothing is ever generated.
    """
    if settings.production or (settings.secret_key and settings.encryption_keys):
        return settings
    folder = settings.data_dir
    return replace(
        settings,
        secret_key=settings.secret_key or environment.kept_key(folder / "secret.key"),
        encryption_keys=settings.encryption_keys
        or (environment.kept_key(folder / "encryption.key"),),
    )


def from_environment(env: Mapping[str, str]) -> Settings:
    """Give settings that are ready to serve: judged, and with their keys."""
    return with_development_keys(load(env))


def _clock_file(read: Reader, *, production: bool) -> Path | None:
    name = "VELVETROPE_CLOCK_FILE"
    text = read.text(name)
    if text and production:
        read.problem(
            name, "time can be moved in the sandbox only, never in production", "Remove it."
        )
    return Path(text) if text else None
