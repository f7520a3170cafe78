"""The console over HTTP as Django answers it, with one of every row and an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

    from tests.web.console.rows import World

OPERATOR = "anna"


@pytest.fixture
def world(database: Path) -> World:  # noqa: ARG001  must exist first
    from tests.web.console.rows import make_world  # noqa: PLC0415  Django is set up by now

    return make_world()


@pytest.fixture
def operator_password(database: Path) -> str:  # noqa: ARG001  must exist first
    from velvetrope.usecases import operations  # noqa: PLC0415  the same

    return operations.create_operator(OPERATOR, None, "command line")


@pytest.fixture
def browser(operator_password: str) -> Client:
    """Give a signed-in browser that has to send CSRF tokens like a real one."""
    client = _client()
    assert client.login(username=OPERATOR, password=operator_password)
    return client


@pytest.fixture
def stranger(database: Path) -> Client:  # noqa: ARG001  must exist first
    return _client()


def _client() -> Client:
    from django.test import Client  # noqa: PLC0415  the same

    return Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
