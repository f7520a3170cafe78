from __future__ import annotations

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Brings the console's templates and static files; it has no tables."""

    name = "velvetrope.web.console"
    label = "console"
    verbose_name = "Console"
    default = True

    def ready(self) -> None:
        from velvetrope.web.console import signin  # noqa: PLC0415  models exist only from here on

        signin.connect()
