"""Nothing that the product emits holds a secret, when tokens and keys themselves make trouble.

tests/test_secrets.py reads a quiet installation; here people pay while vendors refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.test_vendors_stripe import press_plan
from tests.faults.calm import calm
from tests.faults.console import Browser
from tests.faults.leaks import check_leaks
from velvetrope.sandbox.handset import eventually

if TYPE_CHECKING:
    from tests.e2e.house import House
    from tests.processes import Sandbox

PASSWORD = "an-operators-password-41"


async def test_refused_tokens_and_keys_are_shown_nowhere(house: House, sandbox: Sandbox) -> None:
    payer, chooser, reader = [await house.person() for _ in range(3)]
    session = await house.offer(payer)
    refused = {"match": "* /v1/*", "status": 401, "count": 1000}
    await house.stripe.post("faults", {"fail_next": refused})
    await house.pay(session)
    await press_plan(house, chooser)
    await eventually(lambda: _is_dead(house), "dead letters")
    token = (await house.telegram.post(f"bots/{house.bot}/token"))["token"]
    await reader.tell("/start")
    await calm(house)
    shown: dict[str, str] = {}
    with Browser(house.installation, PASSWORD) as browser:
        shown |= {f"{page.url}": page.text for page in browser.walk(most=70)}
        mistaken = browser.post(
            f"/admin/store/integration/{house.id}/change/", {"name": "", "new_token": token}
        )
        shown["a form with a mistake"] = mistaken.text
        browser.change(f"/admin/store/integration/{house.id}/change/", new_token=token)
    assert len(shown) > 30
    for path in ("/up", "/metrics", "/telegram/bots/health?deep=1", "/admin/nowhere/"):
        answer = house.installation.http.get(path)
        shown[path] = f"{answer.headers} {answer.text}"
    await house.stripe.post("faults", {"reset": True})
    dead = house.installation.command("deadletters", "list", "--json").json
    for words in (
        ("doctor",),
        ("bots", "verify", str(house.id)),
        ("deadletters", "list"),
        ("events", "show", str(dead[0]["letter"]).partition(":")[2]),
        ("bots", "add", "--token", token, "--chat", "1", "--price", "x"),
    ):
        done = house.installation.command(*words)
        shown[" ".join(words[:2])] = done.out + done.err
    assert not [where for where, text in shown.items() if PASSWORD in text]
    check_leaks(house.installation, sandbox, shown)


async def _is_dead(house: House) -> bool:
    return bool(house.ledger.dead())
