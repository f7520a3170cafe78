"""Starts the demo; the sandbox does the rest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def demo(options: argparse.Namespace) -> int:
    """Run the product beside its sandbox until Ctrl-C, or through the script."""
    from velvetrope.sandbox import demo as played  # noqa: PLC0415  the sandbox only on request

    return played.run(options, os.environ)
