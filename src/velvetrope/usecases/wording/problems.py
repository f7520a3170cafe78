"""What each problem means to an operator, and how it is mended, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from velvetrope.usecases.wording.problems_of_stripe import STRIPE
from velvetrope.usecases.wording.problems_of_telegram import TELEGRAM

_RIGHTS: Final = {
    "can_invite_users": "«Invite users via link»",
    "can_restrict_members": "«Ban users»",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One problem in words; `details` is what the code's data adds, such as a chat's title."""

    code: str
    what: str
    fix: str
    details: str = ""


#: Code → what is wrong, how to mend it. Words in braces come from the problem's data.
PROBLEMS: Final[Mapping[str, tuple[str, str]]] = {
    **TELEGRAM,
    **STRIPE,
    # people who pay
    "pays_unreachable": (
        "A customer's Telegram account is deleted, and their subscription goes on being paid.",
        (
            "They keep their place. Ask them by the e-mail address that Stripe has, or cancel the "
            "subscription in Stripe; nothing is cancelled by itself."
        ),
    ),
    # operators
    "alerts_unheard": (
        "The bot could not write to the person who hears of alerts.",
        "Let them press Start in the bot, or name somebody else on the integration's page.",
    ),
    "dead_letters": (
        "Some work failed for good and waits for you.",
        "Open «Dead letters»: mend the cause that is named there, then replay or discard them.",
    ),
    # the product itself
    "database_busy": (
        "The database was busy with somebody else's work for too long.",
        "Replay it; look for another program that holds the database file if it happens often.",
    ),
    "database_unavailable": (
        "The database could not be written.",
        "Check the disk's free space and the file's permissions, then replay.",
    ),
    "database_silent": (
        "The database took what it was asked and did not answer in time.",
        "See whether its machine stands still or the way to it is cut; then replay.",
    ),
    "unexpected": (
        "Something happened that the product was not made for.",
        "See the trace, report it, and replay after an update.",
    ),
    "secret_unreadable": (
        "A stored secret cannot be read with the present encryption keys.",
        (
            "Put the key that it was written with back into VELVETROPE_ENCRYPTION_KEYS, behind the "
            "first."
        ),
    ),
}

_PLACEHOLDER: Final = re.compile(r"(?P<lead>:? )\{(?P<name>[a-z_]+)\}")

_UNKNOWN = (
    "Something that this version has no words for.",
    "See the details and the log; then verify again.",
)


def explain(problem: object, titles: Mapping[int, str] | None = None) -> Explanation:
    """Put a stored problem, `{"code": …, "data": {…}}`, or a bare code into words.

    `titles` names chats by their Telegram ids.
    """
    code, data = _parts(problem)
    what, fix = PROBLEMS.get(code, _UNKNOWN)
    values = {name: _value(name, value) for name, value in data.items() if value is not None}
    rest = {name: value for name, value in data.items() if f"{{{name}}}" not in what + fix}
    details = ", ".join(_detail(name, value, titles or {}) for name, value in rest.items())
    return Explanation(code, _filled(what, values), _filled(fix, values), details)


def explain_all(problems: object) -> list[Explanation]:
    return [explain(one) for one in problems] if isinstance(problems, list) else []


def _parts(problem: object) -> tuple[str, dict[str, object]]:
    if isinstance(problem, str):
        return problem, {}
    if not isinstance(problem, Mapping):
        return "unknown", {}
    data = problem.get("data")
    return str(problem.get("code", "unknown")), dict(data) if isinstance(data, Mapping) else {}


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Fill placeholders in; one without a value goes, with the colon or space before it."""
    return _PLACEHOLDER.sub(
        lambda found: found["lead"] + values[found["name"]] if found["name"] in values else "", text
    )


def _value(name: str, value: object) -> str:
    """Name rights as Telegram's apps do; anything else is shown as it is."""
    if name != "rights":
        return str(value)
    return ", ".join(_RIGHTS.get(one.strip(), one.strip()) for one in str(value).split(","))


def _detail(name: str, value: object, titles: Mapping[int, str]) -> str:
    title = titles.get(value) if isinstance(value, int) else None
    return f"{name}: {title} ({value})" if title else f"{name}: {value}"
