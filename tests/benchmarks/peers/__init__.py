"""Small honest programs that do what the product is measured by, with other people's tools."""

from typing import Final

from tests.benchmarks.updates import SECRET, WEBHOOK

PATH: Final = WEBHOOK
TOKEN: Final = "123456789:" + "A" * 35
PLANS: Final = [
    ("Monthly · €5.00 a month", "plan:1"),
    ("Yearly · €50.00 a year", "plan:2"),
    ("For ever · €99.00", "plan:3"),
]

__all__ = ["PATH", "PLANS", "SECRET", "TOKEN", "greeting"]


def greeting(name: str) -> str:
    return (
        f"Hello, {name}! This bot opens the door to The channel.\n\n"
        "Choose a plan, pay, and you are let in at once."
    )
