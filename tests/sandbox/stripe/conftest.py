from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.stripe.shop import Shop

if TYPE_CHECKING:
    from tests.processes import Sandbox


@pytest.fixture
def shop(sandbox: Sandbox) -> Shop:
    """Give a fresh account with a monthly and a one-time price."""
    return Shop(sandbox.stripe)
