"""The console as the real server serves it, beside a Telegram and a Stripe to play with."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.processes import STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET, Installation, eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.processes import Sandbox

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Operator:
    """A browser without a screen, over HTTP only."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        done = installation.command("createoperator", "anna", "--json")
        assert done.code == 0, done.err
        self.password: str = done.json["password"]
        self.token = ""

    def get(self, path: str) -> str:
        answer = self.installation.http.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code)
        found = _TOKEN.search(answer.text)
        self.token = found[1] if found else self.token
        return answer.text

    def post(self, page: str, path: str, fields: Mapping[str, object]) -> str:
        self.get(page)
        answer = self.installation.http.post(
            path,
            data={"csrfmiddlewaretoken": self.token, **fields},
            headers={"referer": f"{self.installation.url}{page}"},
            follow_redirects=True,
        )
        assert answer.status_code == 200, (path, answer.status_code)
        return html.unescape(answer.text)

    def sign_in(self) -> None:
        login = "/admin/login/?next=/admin/"
        shown = self.post(login, login, {"username": "anna", "password": self.password})
        assert "Overview" in shown


@pytest.fixture
def operator(server: Installation) -> Operator:
    person = Operator(server)
    person.sign_in()
    return person


def _world(sandbox: Sandbox) -> tuple[Any, int, str]:
    """Make a bot with too few rights in a channel, and a price."""
    telegram, stripe = sandbox.telegram, sandbox.stripe
    bot = telegram.post("/control/bots", json={"name": "Rope", "username": "rope_bot"}).json()
    owner = telegram.post(
        "/control/users", json={"first_name": "Olga", "language_code": "en"}
    ).json()
    room = {"title": "Back Room", "kind": "channel", "owner": owner["id"]}
    chat = telegram.post("/control/chats", json=room).json()["id"]
    _let_bot(sandbox, chat, bot["id"], can_invite_users=False)
    stripe.post("/control/accounts", json={"key": STRIPE_API_KEY})
    price = {"amount": 900, "currency": "eur", "interval": "month"}
    made = stripe.post(
        "/control/catalog",
        json={"account": STRIPE_API_KEY, "products": [{"name": "Tea", "prices": [price]}]},
    ).json()
    return bot, chat, made["products"][0]["prices"][0]["id"]


def _let_bot(sandbox: Sandbox, chat: int, bot: int, **rights: bool) -> None:
    sandbox.telegram.put(
        f"/control/chats/{chat}/members/{bot}", json={"status": "administrator", **rights}
    ).raise_for_status()


def test_an_operator_connects_a_bot_reads_what_is_wrong_mends_it_and_lets_a_friend_in(
    operator: Operator, sandbox: Sandbox
) -> None:
    bot, chat, price = _world(sandbox)
    add = "/admin/store/integration/add/"
    account = re.search(r'<option value="(\d+)"[^>]*>[^<]*</option>', operator.get(add))
    assert account is not None
    fields = {
        "name": "Tea room", "new_token": bot["token"], "stripe_account": account[1],
        "chats": str(chat), "prices": f"{price}\n", "language": "en", "time_zone": "UTC",
        "terms_url": "", "privacy_url": "", "support_contact": "",
    }  # fmt: skip
    assert "was added successfully" in operator.post(add, add, fields)

    wrong = "The bot lacks rights in the chat: «Invite users via link»."
    eventually(lambda: wrong in html.unescape(operator.get("/admin/")), what="the problem")

    _let_bot(sandbox, chat, bot["id"])
    page = "/admin/store/integration/1/change/"
    operator.post(page, "/admin/store/integration/1/do/verify/", {})
    eventually(lambda: "Every integration works" in operator.get("/admin/"), what="the mending")
    shown = operator.get(page)
    assert "@rope_bot" in shown
    assert "Back Room" in shown
    assert "9.00 EUR a month" in shown.replace("\N{NO-BREAK SPACE}", " ")

    friend = sandbox.telegram.post(
        "/control/users", json={"first_name": "Frank", "language_code": "en"}
    ).json()["id"]
    sandbox.telegram.post(
        f"/control/users/{friend}/messages", json={"bot": "rope_bot", "text": "/start"}
    )
    customers = "/admin/store/customer/"
    found = eventually(
        lambda: re.search(r"/admin/store/customer/(\d+)/change/", operator.get(customers)),
        what="the customer",
    )
    assert found is not None
    customer = f"/admin/store/customer/{found[1]}"
    plan = re.search(r'<option value="(\d+)">Tea', operator.get(f"{customer}/change/"))
    assert plan is not None
    operator.post(
        f"{customer}/change/", f"{customer}/do/grant/", {"plan": plan[1], "until": "", "note": "x"}
    )
    eventually(lambda: "Paid up" in _said(operator, customer), what="the grant")
    eventually(lambda: "t.me/+" in _dialog(sandbox, friend), what="the invitation")

    for secret in (bot["token"], STRIPE_API_KEY, STRIPE_WEBHOOK_SECRET, operator.password):
        for path in ("/admin/", page, f"{customer}/change/", "/admin/store/auditentry/"):
            assert secret not in operator.get(path)
        assert secret not in operator.installation.log_text()


def _said(operator: Operator, customer: str) -> str:
    return operator.get(f"{customer}/change/").replace("paid up", "Paid up")


def _dialog(sandbox: Sandbox, user: int) -> str:
    return sandbox.telegram.get(f"/control/users/{user}/dialogs").text


def test_static_files_may_be_kept_for_ever_and_pages_never(operator: Operator) -> None:
    page = operator.installation.http.get("/admin/")
    assert "no-store" in page.headers["cache-control"]
    style = re.search(r'href="(/[^"]*console/console\.css)"', page.text)
    assert style is not None
    answer = operator.installation.http.get(style[1])
    assert answer.status_code == 200
    assert "text/css" in answer.headers["content-type"]
    outside = operator.installation.http.get(style[1].replace("console.css", "..%2f..%2fapps.py"))
    assert outside.status_code in {400, 404}
