"""Signing in: who guesses is slowed down, and who signed in and out is on record."""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.exceptions import ValidationError

from velvetrope.usecases import operations
from velvetrope.web.addresses import block_of
from velvetrope.web.console.actors import actor_of_user
from velvetrope.web.console.vendor import AuthenticationForm
from velvetrope.web.limits import Buckets, Rate

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

#: Tries of one address: twenty at once, and then one every six seconds. Each costs the machine
#: half a second and 100 MiB, as it is meant to cost whoever steals the hashes.
TRIES: Final = Rate(per_second=1 / 6, burst=20)


class Tries:
    """Counts who tries to sign in, whatever name they give: names can't be locked by strangers."""

    def __init__(self) -> None:
        self._buckets: Buckets[str] = Buckets(TRIES)
        self._lock = Lock()

    def take(self, address: str) -> int:
        """Take a try; gives the seconds to wait if there is none, else 0."""
        key, now = block_of(address), monotonic()
        with self._lock:
            if self._buckets.take(key, now):
                return 0
            return self._buckets.retry_after(key, now)


class SignInForm(AuthenticationForm):
    """Asks for name and password, and doesn't look at them if too many came before."""

    def __init__(self, tries: Tries, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._tries = tries

    def clean(self) -> dict[str, Any]:
        if self.request is not None and self.cleaned_data.get("password"):
            wait = self._tries.take(self.request.META["REMOTE_ADDR"])
            if wait:
                words = f"Too many tries from your address. Try again in {wait} seconds."
                raise ValidationError(words, code="too_many")
        return super().clean()


def connect() -> None:
    user_logged_in.connect(_signed_in, dispatch_uid="console-signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="console-signed-out")


def _signed_in(user: AbstractBaseUser, **_: object) -> None:
    operations.record(
        actor_of_user(user), "operator.signed_in", subject="operator", subject_id=user.pk
    )


def _signed_out(user: AbstractBaseUser | None, **_: object) -> None:
    if user is not None:
        operations.record(
            actor_of_user(user), "operator.signed_out", subject="operator", subject_id=user.pk
        )
