"""Whose secret or signature it is; what is found is trusted for a second, no longer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from django.db import Error as DatabaseError

from velvetrope.domain.errors import RetryLater
from velvetrope.gateways.stripe.signatures import TOLERANCE, BadSignature, verify
from velvetrope.pipeline.database import SILENCE
from velvetrope.store.encryption import installation_keys
from velvetrope.store.models import Integration, StripeAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Seconds: a secret that was changed, or an integration that was switched off, counts within it.
TRUSTED_FOR: Final = 0.9
#: Secrets that are remembered, valid and unknown ones.
MOST_KNOWN: Final = 20_000
#: Bytes that are hashed at once; more, such as a large body for many accounts, would keep
#: everybody else waiting and so is done in a thread.
_HASHED_IN_LOOP: Final = 512 * 1024
#: Bot API: a secret has 1 to 256 characters.
_SECRET_LENGTH: Final = 256

#: The hashes of one secret under every key of the installation.
Hashes: TypeAlias = tuple[str, ...]


class Reader(Protocol):
    async def read(self, fn: Callable[[], Any]) -> Any: ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Who delivers; `account` is the row's id of the integration."""

    account: int
    active: bool


class TelegramSenders:
    """Finds integrations by their webhook secret, of which only hashes are kept or compared."""

    def __init__(self, db: Reader) -> None:
        self._db = db
        self._known: OrderedDict[Hashes, tuple[float, Sender | None]] = OrderedDict()
        self._asking: dict[Hashes, asyncio.Future[Sender | None]] = {}

    def key(self, secret: bytes) -> Hashes | None:
        """Give what a secret is found by; None for what can't be one."""
        if not 0 < len(secret) <= _SECRET_LENGTH:
            return None
        return tuple(installation_keys().look_up_hashes(secret.decode("latin-1")))

    def known(self, key: Hashes) -> tuple[bool, Sender | None]:
        """Tell whether the secret was looked up within the last second, and what was found.

        Who was switched off is looked up each time: what they send is acknowledged and lost, so
        nothing may be lost any more once they are on again.
        """
        until, sender = self._known.get(key, (float("-inf"), None))
        if until < monotonic() or (sender is not None and not sender.active):
            return False, None
        return True, sender

    def was_valid(self, key: Hashes) -> bool:
        """Tell whether the secret was right when it was looked up last."""
        found = self._known.get(key)
        return found is not None and found[1] is not None

    async def find(self, key: Hashes) -> Sender | None:
        """Look a secret up, once for all who ask at the same time; RetryLater if it can't be."""
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._look_up(key))
            self._asking[key] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    async def _look_up(self, key: Hashes) -> Sender | None:
        # The time counts from before the reading: what changes meanwhile is seen in time.
        until = monotonic() + TRUSTED_FOR
        try:
            async with asyncio.timeout(SILENCE):
                sender: Sender | None = await self._db.read(lambda: find_integration(key))
        except (DatabaseError, TimeoutError):
            raise RetryLater("database_unavailable", retry_after=1) from None
        self._known[key] = (until, sender)
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return sender


def find_integration(key: Hashes) -> Sender | None:
    """Find whose secret it is, by the index of its hash."""
    row = (
        Integration.objects.filter(webhook_secret_hash__in=key).values_list("id", "active").first()
    )
    return None if row is None else Sender(*row)


class StripeSenders:
    """Finds the account whose secret signed an event."""

    def __init__(self, db: Reader, environment_secrets: Sequence[str]) -> None:
        self._db = db
        self._environment_secrets = tuple(environment_secrets)
        self._accounts: list[tuple[int, tuple[str, ...]]] = []
        self._until = float("-inf")
        #: Secrets by their cipher text: opening it costs more than the rest of a look.
        self._opened: dict[bytes, tuple[str, ...]] = {}

    def may_be_signed(self, header: str, now: float) -> bool:
        """Tell from the header alone whether it is worth reading the body; `now` in seconds."""
        parts = dict(part.partition("=")[::2] for part in header.split(",", 8))
        timestamp = parts.get("t", "")
        if not (timestamp.isascii() and timestamp.isdigit() and "v1" in parts):
            return False
        return abs(int(timestamp[:12]) - now) <= TOLERANCE

    async def find(self, body: bytes, header: str, now: float) -> int | None:
        """Find the account; None if no secret fits, RetryLater if they can't be read."""
        if self._until < monotonic():
            until = monotonic() + TRUSTED_FOR
            try:
                async with asyncio.timeout(SILENCE):
                    self._accounts = await self._db.read(self._read)
            except (DatabaseError, TimeoutError):
                raise RetryLater("database_unavailable", retry_after=1) from None
            self._until = until
        if not self.may_be_signed(header, now):
            return None
        secrets = sum(len(secrets) for _, secrets in self._accounts)
        if len(body) * secrets < _HASHED_IN_LOOP:
            return _signer(self._accounts, body, header, now)
        return await asyncio.to_thread(_signer, self._accounts, body, header, now)

    def _read(self) -> list[tuple[int, tuple[str, ...]]]:
        accounts: list[tuple[int, tuple[str, ...]]] = []
        opened: dict[bytes, tuple[str, ...]] = {}
        for row in StripeAccount.objects.order_by("id"):
            secrets = self._environment_secrets if row.from_environment else ()
            if row.webhook_secrets is not None:
                cipher_text = getattr(row.webhook_secrets, "cipher_text", b"")
                own = self._opened.get(cipher_text) or tuple(row.webhook_secrets.reveal().split())
                opened[cipher_text] = own
                secrets += own
            if secrets:
                accounts.append((row.id, secrets))
        self._opened = opened
        return accounts


def _signer(
    accounts: Sequence[tuple[int, Sequence[str]]], body: bytes, header: str, now: float
) -> int | None:
    for account, secrets in accounts:
        try:
            verify(body, header, secrets, now)
        except BadSignature:
            continue
        return account
    return None
