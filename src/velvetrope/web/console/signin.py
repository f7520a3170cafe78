"""Who signed in and out is on record, like every other thing that operators do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.signals import user_logged_in, user_logged_out

from velvetrope.usecases import operations
from velvetrope.web.console.actors import actor_of_user

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


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
