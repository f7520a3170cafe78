"""Errors of the store and the use cases that people cause, in words."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import OperationalError

from velvetrope.domain.secrecy import scrub
from velvetrope.store.encryption import UnreadableSecretError
from velvetrope.store.serving import AlreadyServedError
from velvetrope.usecases.operations import (
    GrantRefusedError,
    NameTakenError,
    NoSuchOperatorError,
    OrderRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def _unreadable(_error: Exception) -> str:
    return (
        "A stored secret cannot be read with the present keys. Put the key that it was written "
        "with back into VELVETROPE_ENCRYPTION_KEYS, behind the first."
    )


def _refused(error: Exception) -> str:
    remedy = "Check that the file and its folder can be written and that the disk has room."
    return f"The database refused: {scrub(str(error))}. {remedy}"


_WORDS: Final[tuple[tuple[type[Exception], Callable[[Exception], str]], ...]] = (
    (
        ObjectDoesNotExist,
        lambda _: "It is gone: somebody removed it meanwhile. List what there is.",
    ),
    (ValidationError, lambda error: " ".join(getattr(error, "messages", [str(error)]))),
    (
        NameTakenError,
        lambda error: (
            f"{error}: there is such an operator. Choose another name, or give them a new "
            f"password: velvetrope createoperator {error} --reset"
        ),
    ),
    (
        NoSuchOperatorError,
        lambda error: (
            f"{scrub(str(error))}: there is no such operator. "
            "Make them without --reset or --disable."
        ),
    ),
    (GrantRefusedError, str),
    (OrderRefusedError, str),
    (UnreadableSecretError, _unreadable),
    (AlreadyServedError, lambda error: f"{error}."),
    (OperationalError, _refused),
    (sqlite3.OperationalError, _refused),
)


def explain(error: Exception) -> str | None:
    """Give what an operator reads; None for what nobody foresaw."""
    return next((words(error) for kind, words in _WORDS if isinstance(error, kind)), None)
