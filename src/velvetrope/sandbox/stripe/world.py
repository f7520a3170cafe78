"""Everything that the look-alike remembers: accounts by key, the timeline and who listens."""

from __future__ import annotations

import contextlib
import heapq
import itertools
from typing import TYPE_CHECKING

from .account import Account
from .errors import ApiError
from .resources.discounts import seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from velvetrope.sandbox.clock import SandboxClock

    from .shapes import Obj

DEFAULT_KEY = "sk_test_sandbox"
_PREFIXES = ("sk_test_", "rk_test_")
_SHOWN_HEAD, _SHOWN_TAIL = 12, 4


class World:
    """Accounts, each with its own state, that share one time and one timeline."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        #: Set once an account was registered: from then on strangers' keys are refused.
        self.registered_only = False
        #: Where people reach the hosted pages; the address of the latest request.
        self.public_url = "http://127.0.0.1"
        self.on_event: list[Callable[[Account, Obj], None]] = []
        self._looks: list[tuple[float, int, Account, str]] = []
        self._sequence = itertools.count()
        self._moment: float | None = None

    def now(self) -> int:
        """Give the moment that objects are stamped with, in whole seconds since 1970."""
        return int(self.clock.time() if self._moment is None else self._moment)

    @contextlib.contextmanager
    def at(self, moment: float) -> Iterator[None]:
        """Let what happens inside carry the stamp of `moment`, when it was due."""
        self._moment = moment
        try:
            yield
        finally:
            self._moment = None

    def schedule(self, moment: float, account: Account, ident: str) -> None:
        """Have the object `ident` looked at when `moment` comes."""
        heapq.heappush(self._looks, (moment, next(self._sequence), account, ident))

    def next_look(self) -> float | None:
        """Give the moment at which something is due next."""
        return self._looks[0][0] if self._looks else None

    def take_due(self, until: float) -> tuple[float, Account, str] | None:
        """Remove and give what is due first, no later than `until`."""
        if not self._looks or self._looks[0][0] > until:
            return None
        moment, _, account, ident = heapq.heappop(self._looks)
        return moment, account, ident

    def account_of(self, key: str | None) -> Account:
        """Give the account behind an API key; ApiError 401 as Stripe words it."""
        if not key:
            raise ApiError(
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY').",
                status=401,
            )
        account = self.accounts.get(key)
        if account is None:
            if self.registered_only or not key.startswith(_PREFIXES):
                raise ApiError(f"Invalid API Key provided: {masked(key)}", status=401)
            account = self.open_account(key)
        return account

    def open_account(self, key: str, name: str | None = None, country: str = "DE") -> Account:
        """Create an account for `key`."""
        account = Account(self, key, name=name or "Sandbox shop", country=country)
        self.accounts[key] = account
        seed(account)
        return account

    def default_account(self) -> Account:
        """Give the account that control calls mean when they name none."""
        for account in self.accounts.values():
            return account
        return self.open_account(DEFAULT_KEY)

    def owner_of(self, ident: str) -> Account | None:
        """Give the account that holds the object `ident`."""
        for account in self.accounts.values():
            if ident in account.index:
                return account
        return None

    def tell(self, account: Account, event: Obj) -> None:
        """Pass an event on to whoever delivers it."""
        for listener in self.on_event:
            listener(account, event)


def masked(key: str) -> str:
    """Give a key as Stripe shows it in errors."""
    if len(key) <= _SHOWN_HEAD + _SHOWN_TAIL:
        return "*" * len(key)
    hidden = "*" * (len(key) - _SHOWN_HEAD - _SHOWN_TAIL)
    return key[:_SHOWN_HEAD] + hidden + key[-_SHOWN_TAIL:]
