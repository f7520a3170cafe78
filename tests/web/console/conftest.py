"""The console over HTTP as Django answers it, with one of every row and an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

    from tests.web.console.rows import World

OPERATOR = "anna"


@pytest.fixture
def world(database: str) -> World:  # noqa: ARG001  must exist first
    from tests.web.console.rows import make_world  # noqa: PLC0415  Django is set up by now

    return make_world()


@pytest.fixture(scope="session")
def password_and_hash() -> tuple[str, str]:
    """Give a password as Argon2 keeps it, made once: it is meant to cost time."""
    from django.contrib.auth.hashers import make_password  # noqa: PLC0415  the same

    from velvetrope.usecases.operations.operators import generate_password  # noqa: PLC0415  the same

    password = generate_password()
    return password, make_password(password)


@pytest.fixture
def operator(database: str, password_and_hash: tuple[str, str]) -> User:  # noqa: ARG001  must exist first
    from django.contrib.auth.models import User  # noqa: PLC0415  the same

    return User.objects.create(
        username=OPERATOR, password=password_and_hash[1], is_staff=True, is_superuser=True
    )


@pytest.fixture
def operator_password(operator: User, password_and_hash: tuple[str, str]) -> str:  # noqa: ARG001  whose it is
    return password_and_hash[0]


@pytest.fixture
def browser(operator: User) -> Client:
    """Give a signed-in browser that has to send CSRF tokens like a real one."""
    client = _client()
    client.force_login(operator)
    return client


@pytest.fixture
def stranger(database: str) -> Client:  # noqa: ARG001  must exist first
    return _client()


def _client() -> Client:
    from django.test import Client  # noqa: PLC0415  the same

    return Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
