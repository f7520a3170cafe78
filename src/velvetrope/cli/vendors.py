"""The product's ports, opened for the length of one command that talks to the vendors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from velvetrope.bootstrap import Application
    from velvetrope.settings import Settings

T = TypeVar("T")


def with_vendors(settings: Settings, act: Callable[[Application], Awaitable[T]]) -> T:
    """Run `act` on an application that is open but takes up no work."""
    from velvetrope import bootstrap  # noqa: PLC0415  both vendors' clients take their time

    async def run() -> T:
        application = bootstrap.build(settings)
        await application.open()
        try:
            return await act(application)
        finally:
            await application.close()

    return asyncio.run(run())
