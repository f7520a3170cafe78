"""What compose.yaml says, for tests that hold it to its word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).parent.parent
COMPOSE: Final[dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
#: Services whose command begins with `velvetrope`, the entry point of the image.
PRODUCT: Final = [name for name, service in SERVICES.items() if "build" in service]
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put values where compose.yaml names variables; KeyError for one that it can't do without."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        return values.get(name, rest) if kind == "-" else values[name]

    return _VARIABLE.sub(value, text)


def environment(name: str, values: Mapping[str, str]) -> dict[str, str]:
    """Give what `environment:` of a service says; not what its `env_file` says."""
    said: dict[str, str] = SERVICES[name].get("environment", {})
    return {variable: filled(text, values) for variable, text in said.items()}
