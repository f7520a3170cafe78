"""The one place that judges what operators type: console, commands and API all call it.

Every function returns the cleaned value or raises `Invalid`, which says which field, what was
given (never a secret) and how to mend it.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from urllib.parse import SplitResult

LANGUAGES: Final = ("en", "uk", "ru")

_BOT_TOKEN = re.compile(r"[0-9]{6,12}:[A-Za-z0-9_-]{30,64}")
_PRICE = re.compile(r"price_[A-Za-z0-9_]{1,200}")
_STRIPE_KEY = re.compile(r"(?:sk|rk)_(?:test|live)_[A-Za-z0-9_]{8,240}")
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{8,240}")
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_SEPARATORS = re.compile(r"[\s,;]+")
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}")
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")

#: What a secret looks like that was typed into the wrong field.
_SECRET = re.compile(r"[0-9]{6,}:[A-Za-z0-9_-]{20,}|(?:sk|rk|whsec)_\S+")

_INT64_MAX: Final = 2**63 - 1
#: Bot API: ids of channels and supergroups are -100 followed by the bare id; bare ids of groups
#: are below 10^12, so anything above is a channel or supergroup.
_SUPERGROUP_BELOW: Final = -1_000_000_000_000
_SHOWN_LENGTH: Final = 60
_URL_LENGTH: Final = 2048
_NAME_LENGTH: Final = 100
_PORT_MAX: Final = 65535


class Invalid(ValueError):  # noqa: N818  reads as a judgement: raise Invalid(...)
    """A value that cannot be used; `value_shown` is short and free of secrets and controls."""

    def __init__(self, code: str, field: str, value_shown: str, remedy: str) -> None:
        self.code = code
        self.field = field
        self.value_shown = value_shown
        self.remedy = remedy
        super().__init__(code, field, value_shown, remedy)

    def __str__(self) -> str:
        given = f" (given: {self.value_shown})" if self.value_shown else ""
        return f"{self.field}: {self.remedy}{given}"


def bot_token(value: object, *, field: str = "token") -> str:
    """Check the form `123456:ABC…` of a bot's token; the token is never shown."""
    text = _text(value)
    if not _BOT_TOKEN.fullmatch(text):
        remedy = "Copy the whole token from @BotFather: digits, a colon and about 35 characters."
        raise Invalid("bot_token_malformed", field, "", remedy)
    return text


def bot_id_of(token: str) -> int:
    """Return the bot's user id, which is the part of its token that is no secret."""
    return int(token.partition(":")[0])


def stripe_api_key(value: object, *, field: str = "stripe_api_key") -> str:
    """Check the form of a secret or restricted Stripe key; the key is never shown."""
    text = _text(value)
    if text.startswith(("pk_test_", "pk_live_")):
        remedy = "This is a publishable key. Use the secret or a restricted key (sk_… or rk_…)."
        raise Invalid("stripe_key_publishable", field, "", remedy)
    if not _STRIPE_KEY.fullmatch(text):
        remedy = "Copy a secret or restricted key (sk_… or rk_…) from Stripe, Developers, API keys."
        raise Invalid("stripe_key_malformed", field, "", remedy)
    return text


def webhook_secret(value: object, *, field: str = "webhook_secret") -> str:
    """Check the form of a Stripe signing secret; the secret is never shown."""
    text = _text(value)
    if not _WEBHOOK_SECRET.fullmatch(text):
        remedy = "Copy the signing secret (whsec_…) of the webhook endpoint from Stripe."
        raise Invalid("webhook_secret_malformed", field, "", remedy)
    return text


def price_ids(value: object, *, field: str = "prices") -> tuple[str, ...]:
    """Read `price_…` ids from a list or from text with commas, spaces or new lines.

    Keeps the order and drops repetitions; at least one id is needed.
    """
    found: dict[str, None] = {}
    for item in _items(value):
        if not _PRICE.fullmatch(item):
            if item.startswith("prod_"):
                remedy = (
                    "This is a product. Open it in Stripe and copy the id of one of its prices."
                )
                raise Invalid("price_is_product", field, shown(item), remedy)
            remedy = "Use ids of prices as Stripe shows them: price_1AbC…, one a line."
            raise Invalid("price_malformed", field, shown(item), remedy)
        found[item] = None
    if not found:
        raise Invalid("price_missing", field, "", "Give at least one price id (price_…).")
    return tuple(found)


def chat_id(value: object, *, field: str = "chat") -> int:
    """Read the numeric id of a channel or supergroup; names and basic groups are refused."""
    number = _integer(value, field=field)
    if number > 0:
        remedy = "This is the id of a person. A channel's or supergroup's id begins with -100."
        raise Invalid("chat_is_person", field, str(number), remedy)
    if number > _SUPERGROUP_BELOW:
        remedy = (
            "This is the id of a basic group, which cannot be guarded. Turn it into a supergroup "
            "(make its history visible to new members) and use its new id, which begins with -100."
        )
        raise Invalid("chat_is_basic_group", field, str(number), remedy)
    return number


def chat_ids(value: object, *, field: str = "chats") -> tuple[int, ...]:
    """Read ids of chats from a list or text; keeps the order, drops repetitions, needs one."""
    found = dict.fromkeys(chat_id(item, field=field) for item in _items(value))
    if not found:
        raise Invalid("chat_missing", field, "", "Give at least one chat id (-100…).")
    return tuple(found)


def user_id(value: object, *, field: str = "user") -> int:
    """Read the numeric id of a Telegram user."""
    number = _integer(value, field=field)
    if number <= 0:
        raise Invalid("user_malformed", field, str(number), "A person's id is a positive number.")
    return number


def language(value: object, *, field: str = "language") -> str:
    """Check that a language is one that the product speaks."""
    text = _text(value).lower()
    if text not in LANGUAGES:
        remedy = f"Choose one of: {', '.join(LANGUAGES)}."
        raise Invalid("language_unknown", field, shown(text), remedy)
    return text


def find_language(code: str | None) -> str | None:
    """Match a language tag as Telegram sends it (`en-GB`, `uk`) or give None."""
    base = (code or "").partition("-")[0].partition("_")[0].lower()
    return base if base in LANGUAGES else None


def url(value: object, *, field: str = "url", https_only: bool = False) -> str:
    """Check an absolute http or https address without credentials; returns it unchanged."""
    text = _text(value)
    remedy = "Use a whole address such as https://example.com/terms."
    parts = _split(text)
    if parts is None or parts.scheme not in {"http", "https"}:
        raise Invalid("url_malformed", field, _shown_url(text), remedy)
    if parts.username is not None or parts.password is not None:
        remedy = "Remove the name and password from the address."
        raise Invalid("url_with_credentials", field, "", remedy)
    if https_only and parts.scheme != "https":
        raise Invalid("url_not_https", field, _shown_url(text), "The address must be https://….")
    return text


def base_url(value: object, *, field: str = "url", https_only: bool = False) -> str:
    """Check an address that paths are added to; returns it without the closing slash."""
    text = url(value, field=field, https_only=https_only)
    parts = urlsplit(text)
    if parts.query or parts.fragment or "?" in text or "#" in text:
        remedy = "Remove everything from the question mark or number sign on."
        raise Invalid("url_with_query", field, _shown_url(text), remedy)
    return text.rstrip("/")


def time_zone(value: object, *, field: str = "time_zone") -> str:
    """Check the name of a time zone, such as Europe/Kyiv."""
    text = _text(value)
    if not (_ZONE.fullmatch(text) and _is_zone(text)):
        remedy = "Use a name such as Europe/Kyiv or UTC."
        raise Invalid("time_zone_unknown", field, shown(text), remedy)
    return text


def find_deep_link_payload(text: str) -> str | None:
    """Return the payload if `text`, which a stranger may have typed, is one, else None."""
    return text if _PAYLOAD.fullmatch(text) else None


def name(value: object, *, field: str = "name", longest: int = _NAME_LENGTH) -> str:
    """Clean a name for pages and messages: one line, no controls or direction marks, not empty."""
    text = unicodedata.normalize("NFC", _text(value))
    if any(unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for sign in text):
        remedy = "Use letters, digits, spaces and signs only, on one line."
        raise Invalid("name_with_controls", field, shown(text), remedy)
    text = " ".join(text.split())
    if not text:
        raise Invalid("name_missing", field, "", "Give a name.")
    if len(text) > longest:
        raise Invalid("name_too_long", field, shown(text), f"Use at most {longest} characters.")
    return text


def shown(value: str) -> str:
    """Make text fit to be shown in a message: short, without control characters and secrets."""
    value = _SECRET.sub("…", value)
    clean = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in value)
    return clean if len(clean) <= _SHOWN_LENGTH else clean[: _SHOWN_LENGTH - 1] + "…"


def _shown_url(value: str) -> str:
    """Show an address up to its query, which may hold a secret; nothing if it has a login."""
    return "" if "@" in value else shown(re.split(r"[?#]", value, maxsplit=1)[0])


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _items(value: object) -> list[str]:
    """Split text, or the members of a list, at commas, semicolons and white space."""
    if isinstance(value, str):
        parts: Iterable[object] = (value,)
    elif isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        parts = value
    else:
        parts = ("" if value is None else str(value),)
    texts = [part if isinstance(part, str) else str(part) for part in parts]
    return [item for text in texts for item in _SEPARATORS.split(text) if item]


def _integer(value: object, *, field: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value) if abs(value) <= _INT64_MAX else ""
    else:
        text = _text(value).replace("\N{MINUS SIGN}", "-")
    if text.startswith("@") or _USERNAME.fullmatch(text) or "t.me/" in text:
        remedy = (
            "Names can change, so the numeric id is needed. Forward a message from the chat to a "
            "bot such as @userinfobot, or add the bot to the chat and look at its page here."
        )
        raise Invalid("chat_by_name", field, shown(text), remedy)
    if not _INTEGER.fullmatch(text) or abs(int(text)) > _INT64_MAX:
        remedy = "Use the numeric id, such as -1001234567890."
        raise Invalid("id_malformed", field, shown(text), remedy)
    return int(text)


def _is_zone(key: str) -> bool:
    try:
        ZoneInfo(key)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder
        return False
    return True


def _split(text: str) -> SplitResult | None:
    """Split an address into its parts if its host and port make sense."""
    if not text or len(text) > _URL_LENGTH or not text.isprintable() or _SEPARATORS.search(text):
        return None
    if "\\" in text:  # browsers read it as a slash, so the host would not be what it seems
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if port is not None and not 1 <= port <= _PORT_MAX:
        return None
    return parts if parts.hostname and _is_host(parts.hostname) else None


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    try:
        ascii_host = host.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return all(_HOST_LABEL.fullmatch(label) for label in ascii_host.rstrip(".").split("."))
