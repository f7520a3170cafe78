"""People who may sign in to the console."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from velvetrope.domain.validation import Invalid
from velvetrope.usecases.audit import SECRET_REPLACED, record

#: Without letters and digits that look alike: it is read from a terminal and typed.
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"
_GROUPS, _GROUP_LENGTH = 4, 5


class NameTakenError(Exception):
    """There is an operator of this name already. Choose another one, or reset the password."""


class NoSuchOperatorError(Exception):
    """There is no operator of this name."""


def create_operator(name: str, password: str | None, actor: str) -> str:
    """Make an operator who may do everything; gives the password, generated if none was given.

    Raises Invalid for an unusable name, NameTakenError, and Django's ValidationError for a
    password that is easily guessed.
    """
    users = get_user_model()
    name = users.normalize_username(name.strip())
    _check_name(name)
    if password is None:
        password = generate_password()
    else:
        validate_password(password, users(username=name))
    try:
        with transaction.atomic():
            # There are no groups yet: whoever signs in is trusted with the whole installation.
            user = users._default_manager.create_user(  # noqa: SLF001  Django's documented name
                username=name, password=password, is_staff=True, is_superuser=True
            )
            record(actor, "operator.created", subject="operator", subject_id=user.pk,
                   after={"name": name})  # fmt: skip
    except IntegrityError:
        raise NameTakenError(name) from None
    return password


def reset_operator(name: str, password: str | None, actor: str) -> str:
    """Give an operator a new password and let them sign in again; their sessions end.

    Gives the password, generated if none was given. Raises NoSuchOperatorError, and Django's
    ValidationError for a password that is easily guessed.
    """
    with transaction.atomic():
        user = _find_operator(name)
        if password is None:
            password = generate_password()
        else:
            validate_password(password, user)
        # A session carries a digest of the password's hash, so the old ones are worth nothing.
        user.set_password(password)
        user.is_active = True
        user.save(update_fields=["password", "is_active"])
        record(actor, "operator.reset", subject="operator", subject_id=user.pk,
               after={"name": user.get_username(), "password": SECRET_REPLACED})  # fmt: skip
    return password


def disable_operator(name: str, actor: str) -> None:
    """Keep an operator out, sessions included, until a reset; raises NoSuchOperatorError."""
    with transaction.atomic():
        user = _find_operator(name)
        user.is_active = False
        user.save(update_fields=["is_active"])
        record(actor, "operator.disabled", subject="operator", subject_id=user.pk,
               after={"name": user.get_username()})  # fmt: skip


def _find_operator(name: str) -> User:
    users = User.objects
    user = users.filter(username=User.normalize_username(name.strip())).first()
    if user is None:
        raise NoSuchOperatorError(name)
    return user


def generate_password() -> str:
    """Give 20 letters and digits in groups of five: about 115 bits."""
    return "-".join(
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )


def _check_name(name: str) -> None:
    remedy = "Use 1 to 150 letters, digits and the signs @ . + - _"
    if not name or len(name) > 150 or not all(c.isalnum() or c in "@.+-_" for c in name):  # noqa: PLR2004  Django's column
        raise Invalid("operator_name_malformed", "name", name[:60], remedy)
