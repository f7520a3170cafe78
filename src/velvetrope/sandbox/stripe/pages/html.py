"""Pages put together from templates in which every value is escaped."""

from __future__ import annotations

from html import escape


class Html(str):
    """Markup that may stand in a page as it is."""

    __slots__ = ()


def fill(template: str, /, **values: object) -> Html:
    """Put values into a template's `{names}`; what is not `Html` is escaped."""
    shown = {
        name: value if isinstance(value, Html) else escape(str(value))
        for name, value in values.items()
    }
    return Html(template.format_map(shown))


def join(parts: list[Html]) -> Html:
    return Html("".join(parts))


def when(condition: object, markup: Html) -> Html:
    """Give the markup, or nothing."""
    return markup if condition else Html("")
