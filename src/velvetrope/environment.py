"""How single values are read from the environment, with a remedy for each that is wrong."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from velvetrope.domain import validation
from velvetrope.domain.validation import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Fewer letters than this can be guessed, or were typed by hand.
SHORTEST_KEY: Final = 32
SHORTEST_TOKEN: Final = 16
_FEWEST_LETTERS: Final = 10
_HOURS_OF_A_YEAR: Final = 8760
_PLACEHOLDERS: Final = ("change", "insecure", "example", "secret-key", "your-", "xxx", "todo")
_SEPARATORS: Final = re.compile(r"[\s,;]+")
_MAKE_ONE: Final = "Make one with: openssl rand -base64 48 | tr -d '\\n'"


class Reader:
    """Reads values and gathers `(name, what, remedy)` for those that cannot be used."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[tuple[str, str, str]] = []

    def problem(self, name: str, what: str, remedy: str) -> None:
        self.problems.append((name, what, remedy))

    def text(self, name: str) -> str:
        """Give the value without white space around it; empty when it is absent."""
        return self._env.get(name, "").strip()

    def items(self, name: str) -> list[str]:
        return [item for item in _SEPARATORS.split(self.text(name)) if item]

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(name) or default
        if value not in allowed:
            what = f"«{validation.shown(value)}» is not known"
            self.problem(name, what, f"Use one of: {', '.join(allowed)}.")
            return default
        return value

    def key(self, name: str, *, needed: bool) -> str:
        value = self.text(name)
        if not value:
            if needed:
                self.problem(name, "missing", f"{_MAKE_ONE}, and keep it for ever.")
            return ""
        self._judge_key(name, value, "the key")
        return value

    def keys(self, name: str, *, needed: bool) -> tuple[str, ...]:
        values = self.items(name)
        if not values and needed:
            self.problem(
                name, "missing", f"{_MAKE_ONE}, and keep it apart from the database's copies."
            )
        for number, value in enumerate(values, 1):
            self._judge_key(name, value, f"key {number}")
        if len(set(values)) < len(values):
            self.problem(name, "holds the same key twice", "Remove the repetition.")
        return tuple(values)

    def _judge_key(self, name: str, value: str, which: str) -> None:
        if any(word in value.lower() for word in _PLACEHOLDERS):
            self.problem(name, f"{which} is a placeholder", f"{_MAKE_ONE}.")
        elif len(value) < SHORTEST_KEY or len(set(value)) < _FEWEST_LETTERS:
            what = f"{which} is easy to guess ({SHORTEST_KEY} random characters are the least)"
            self.problem(name, what, f"{_MAKE_ONE}.")

    def token(self, name: str) -> str | None:
        value = self.text(name)
        if value and (len(value) < SHORTEST_TOKEN or _SEPARATORS.search(value)):
            what = f"must have at least {SHORTEST_TOKEN} characters and no spaces"
            self.problem(name, what, f"{_MAKE_ONE}.")
        return value or None

    def hours(self, name: str) -> int | None:
        """Read a number of hours up to a year; None if there is none."""
        text = self.text(name)
        if not text:
            return None
        if text.isascii() and text.isdigit() and int(text[:6]) <= _HOURS_OF_A_YEAR:
            return int(text[:6])
        self.problem(name, "this is not a number of hours", "Use 0 to 8760, or leave it out.")
        return None

    def dsn(self, name: str) -> str | None:
        value = self.text(name)
        if not value:
            return None
        try:
            parts = urlsplit(value)
            whole = parts.scheme in {"http", "https"} and parts.username and parts.hostname
        except ValueError:
            whole = None
        if not whole:
            self.problem(name, "no DSN", "Copy the whole DSN from your project in Sentry.")
        return value

    def stripe_api_key(self, *, needed: bool) -> str | None:
        name = "VELVETROPE_STRIPE_API_KEY"
        value = self.text(name)
        if not value:
            if needed:
                where = "Copy a secret or restricted key from Stripe, Developers, API keys."
                self.problem(name, "missing", where)
            return None
        return self._valid(name, lambda: validation.stripe_api_key(value, field=name))

    def stripe_webhook_secrets(self, *, needed: bool) -> tuple[str, ...]:
        name = "VELVETROPE_STRIPE_WEBHOOK_SECRETS"
        values = self.items(name)
        if not values and needed:
            where = (
                "Add the webhook endpoint in Stripe (the README lists its events) and copy its "
                "signing secret."
            )
            self.problem(name, "missing", where)
        for number, value in enumerate(values, 1):
            try:
                validation.webhook_secret(value, field=name)
            except Invalid as error:
                self.problem(name, f"secret {number} is not a signing secret", error.remedy)
        return tuple(values)

    def public_url(self, *, production: bool, default: str) -> str:
        name = "VELVETROPE_PUBLIC_URL"
        value = self.text(name)
        if not value:
            if production:
                remedy = "Give the address at which Telegram and Stripe reach this server."
                self.problem(name, "missing", f"{remedy} Example: https://door.example.com")
            return default
        url = self._valid(name, lambda: validation.base_url(value, field=name))
        if url is None:
            return default
        parts = urlsplit(url)
        if parts.path:
            self.problem(
                name, "has a path", "The product serves the root of a host: leave the path out."
            )
        if production and parts.scheme != "https":
            self.problem(
                name, "not https", "Telegram and Stripe deliver over TLS only: use https://…."
            )
        if production and is_private_host(parts.hostname or ""):
            self.problem(
                name,
                "names this machine or a private network",
                "Telegram and Stripe must reach it from outside: use a public host name.",
            )
        return url

    def api_url(self, name: str, default: str, *, production: bool) -> str:
        value = self.text(name) or default
        url = self._valid(name, lambda: validation.base_url(value, field=name)) or default
        parts = urlsplit(url)
        # A Bot API server of one's own speaks http beside the product; further away a token
        # would travel in the clear.
        if production and parts.scheme != "https" and not is_private_host(parts.hostname or ""):
            self.problem(
                name, "would send secrets in the clear", "Use https://, or a private address."
            )
        return url

    def networks(self, name: str) -> tuple[Network, ...]:
        """Read addresses and networks such as 10.0.0.1, 149.154.160.0/20 or ::1."""
        found: list[Network] = []
        for item in self.items(name):
            try:
                found.append(ipaddress.ip_network(item))
            except ValueError:
                what = f"«{validation.shown(item)}» is not an address or network"
                self.problem(name, what, "Write them as 10.0.0.1 or 149.154.160.0/20.")
        return tuple(found)

    def _valid(self, name: str, judge: Callable[[], str]) -> str | None:
        try:
            return judge()
        except Invalid as error:
            given = f"«{error.value_shown}» " if error.value_shown else ""
            self.problem(name, f"{given}cannot be used", error.remedy)
            return None


def is_private_host(host: str) -> bool:
    """Tell whether a host is this machine or can be reached inside a private network only."""
    name = host.rstrip(".").lower()
    with suppress(ValueError):
        return not ipaddress.ip_address(name).is_global
    return "." not in name or name.endswith((".localhost", ".local", ".internal", ".lan"))


def kept_key(path: Path) -> str:
    """Read a generated key, or make it: 64 characters in a file that only its owner reads."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        # Two processes may start at once: the first file stays, and both read that one.
        with suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink()
    return path.read_text(encoding="ascii").strip()
