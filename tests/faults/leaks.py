"""Whether an installation has let a secret out: into its log, its database, or what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.processes import (
    ENCRYPTION_KEY,
    SECRET_KEY,
    STRIPE_API_KEY,
    STRIPE_WEBHOOK_SECRET,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.processes import Installation, Sandbox

#: How the secret half of every token begins that the sandbox makes; links don't have the colon.
TOKEN = ":SANDBOX_"


def check_leaks(
    place: Installation, sandbox: Sandbox, shown: Mapping[str, str] | None = None
) -> None:
    """Look for every secret in what was written, and in what was shown; AssertionError tells."""
    secrets = {
        "the key of sessions": SECRET_KEY,
        "the encryption key": ENCRYPTION_KEY,
        "Stripe's key": STRIPE_API_KEY.removeprefix("sk_test_"),
        "the signing secret": STRIPE_WEBHOOK_SECRET.removeprefix("whsec_"),
        "a bot's token": TOKEN,
        **{f"webhook secret {number}": one for number, one in enumerate(_webhook_secrets(sandbox))},
    }
    texts = {where: text.encode() for where, text in (shown or {}).items()}
    texts["the log"] = place.log_text().encode()
    for file in place.folder.glob(f"{place.database.name}*"):
        texts[file.name] = file.read_bytes()
    for where, content in texts.items():
        found = [name for name, secret in secrets.items() if secret.encode() in content]
        assert not found, f"{where} holds {found}: {_around(content, secrets[found[0]])!r}"


def _around(content: bytes, secret: str) -> bytes:
    """Give what stands before a secret, which tells who wrote it."""
    at = content.index(secret.encode())
    return content[max(at - 400, 0) : at]


def _webhook_secrets(sandbox: Sandbox) -> Iterator[str]:
    calls = sandbox.telegram.get("/control/calls", params={"limit": 20_000}).json()["calls"]
    for call in calls:
        if call["method"] == "setWebhook" and "secret_token" in call["params"]:
            yield call["params"]["secret_token"]
