"""Alerts as the bot tells them to operators, in the words and the language of the console."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Protocol

from velvetrope.usecases.wording.outgoing import Html, OutgoingMessage, escape
from velvetrope.usecases.wording.problems import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Lines of one summary; the rest is in the console.
_MOST_LINES: Final = 12


class Told(Protocol):
    """What an alert tells: the row of one does."""

    code: str
    data: dict[str, object]


def say(name: str, alerts: Sequence[Told], console_url: str, *, over: bool) -> OutgoingMessage:
    """Tell of one alert with its fix, or of several in short; `name` is the integration's."""
    if over:
        lines = _over(name, alerts)
    elif len(alerts) == 1:
        lines = _one(name, alerts[0])
    else:
        lines = _several(name, alerts)
    if not over:
        lines.append(Html(f"\n{escape(console_url)}"))
    return OutgoingMessage(Html("\n".join(lines)))


def linked(name: str) -> OutgoingMessage:
    """Confirm to whom it writes from now on."""
    return OutgoingMessage(
        Html(
            f"🔔 From now on you hear here when something of <b>{escape(name)}</b> needs you, and "
            "when it is mended."
        )
    )


def link_expired() -> OutgoingMessage:
    return OutgoingMessage(
        Html(
            "This code does not work any more. Open the integration's page in the console again: "
            "it shows a new one."
        )
    )


def _one(name: str, alert: Told) -> list[Html]:
    said = explain({"code": alert.code, "data": alert.data})
    lines = [Html(f"⚠️ <b>{escape(name)}</b>: {escape(said.what)}")]
    if said.details:
        lines.append(Html(f"<i>{escape(said.details)}</i>"))
    return [*lines, Html(f"\n{escape(said.fix)}")]


def _several(name: str, alerts: Sequence[Told]) -> list[Html]:
    head = Html(f"⚠️ <b>{escape(name)}</b>: {len(alerts)} things need you.")
    return [head, Html(""), *_lines(alerts)]


def _over(name: str, alerts: Sequence[Told]) -> list[Html]:
    if len(alerts) == 1:
        said = explain({"code": alerts[0].code, "data": alerts[0].data})
        where = f" <i>{escape(said.details)}</i>" if said.details else ""
        return [Html(f"✅ <b>{escape(name)}</b>: mended. <s>{escape(said.what)}</s>{where}")]
    head = Html(f"✅ <b>{escape(name)}</b>: {len(alerts)} things are mended.")
    return [head, Html(""), *_lines(alerts)]


def _lines(alerts: Sequence[Told]) -> list[Html]:
    """Give a line for each kind of trouble, with how often it is there."""
    counted = Counter(explain({"code": one.code, "data": one.data}).what for one in alerts)
    lines = [
        Html(f"• {escape(what)}" + (f" ({number}×)" if number > 1 else ""))
        for what, number in counted.most_common(_MOST_LINES)
    ]
    left = len(counted) - _MOST_LINES
    return lines if left <= 0 else [*lines, Html(f"• and {left} more")]
