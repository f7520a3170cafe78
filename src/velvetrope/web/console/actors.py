"""How operators are named in audit entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.http import HttpRequest


def actor_of_user(user: AbstractBaseUser | AnonymousUser) -> str:
    return f"operator:{user.get_username()}"


def actor_of(request: HttpRequest) -> str:
    return actor_of_user(request.user)
