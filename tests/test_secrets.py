"""Known secrets are planted, everything is made to fail, and all that was said is read."""

from __future__ import annotations

import io
import json
import logging
import re
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pytest
import structlog

from tests.processes import Installation, eventually
from velvetrope import logs
from velvetrope.domain.secrecy import HIDDEN, Scrubber, scrub
from velvetrope.settings import load
from velvetrope.store.encryption import Keys, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.processes import Sandbox

BOT_TOKEN = "7123456789:PLANTEDtoken_0123456789-abcdefghijk"
STRIPE_KEY = "sk_test_PLANTEDkey0123456789abcdef"
SIGNING_SECRET = "whsec_PLANTEDsigning0123456789abcdef"
SECRET_KEY = "PLANTEDsession-0123456789-abcdefghijklmnopqrstuv"
ENCRYPTION_KEY = "PLANTEDencryption-0123456789-abcdefghijklmnopqrs"
METRICS_TOKEN = "PLANTEDmetrics-0123456789-abcdefgh"
PASSWORD = "PLANTED seven green lamps"

SECRETS = {
    "the bot's token": BOT_TOKEN.partition(":")[2],
    "Stripe's key": STRIPE_KEY.removeprefix("sk_test_"),
    "the signing secret": SIGNING_SECRET.removeprefix("whsec_"),
    "the key of sessions": SECRET_KEY,
    "the encryption key": ENCRYPTION_KEY,
    "the metrics' token": METRICS_TOKEN,
    "an operator's password": PASSWORD,
}
#: Pages of the console that are read, at most.
MOST_PAGES = 150


@dataclass
class Said:
    """All that the product emitted, by where it did; secrets that it made itself beside it."""

    texts: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    def where(self, secret: str) -> list[str]:
        """Give the places at which a secret can be read."""
        return sorted(place for place, text in self.texts.items() if secret in text)


class Story:
    """Runs an installation through its life with planted secrets, and its failures."""

    def __init__(self, sandbox: Sandbox, place: Installation, said: Said) -> None:
        self.sandbox = sandbox
        self.place = place
        self.said = said
        self.bot = "planted_bot"

    def run(self) -> None:
        self._connect()
        self._talk()
        self._trouble()
        self._commands()
        self._pages()
        self.place.stop()
        self.said.texts["the server's log"] = self.place.log_text()
        for file in sorted(self.place.folder.glob("*.sqlite3*")):
            self.said.texts[f"the database, {file.name}"] = file.read_bytes().decode("latin-1")

    def _connect(self) -> None:
        telegram, stripe = self.sandbox.telegram, self.sandbox.stripe
        self.place.start()
        owner = telegram.post("/control/users", json={"first_name": "Olena", "language_code": "uk"})
        self.owner = owner.json()["id"]
        bot = telegram.post(
            "/control/bots", json={"name": "Planted", "username": self.bot, "token": BOT_TOKEN}
        ).json()
        chat = telegram.post(
            "/control/chats", json={"title": "Club", "kind": "channel", "owner": self.owner}
        ).json()
        telegram.put(
            f"/control/chats/{chat['id']}/members/{bot['id']}",
            json={
                "status": "administrator",
                "can_invite_users": True,
                "can_restrict_members": True,
            },
        ).raise_for_status()
        product = stripe.post("/control/products", json={"name": "Gold", "account": STRIPE_KEY})
        price = stripe.post(
            "/control/prices",
            json={
                "product": product.json()["id"],
                "amount": 900,
                "currency": "usd",
                "interval": "month",
            },
        )
        added = self.place.command(
            *("bots", "add", "--token", "-", "--chat", str(chat["id"]), "--json"),
            *("--price", price.json()["id"]),
            stdin=BOT_TOKEN,
        )
        assert added.code == 0, added.err + self.place.log_text()
        self.said.texts["bots add"] = added.out + added.err
        calls = telegram.get("/control/calls").json()
        secret = re.search(r'"secret_token": "([^"]+)"', json.dumps(calls))
        assert secret is not None, calls
        self.said.made["the webhook's secret"] = secret[1]

    def _talk(self) -> None:
        self.sandbox.telegram.post(
            f"/control/users/{self.owner}/messages", json={"bot": self.bot, "text": "/start"}
        ).raise_for_status()
        eventually(lambda: self.place.command("members", "list", "--json").json)

    def _trouble(self) -> None:
        """Have vendors fail in ways that show what they were sent, and strangers knock."""
        echo = f"<html>no route to /bot{BOT_TOKEN}/sendMessage with Bearer {STRIPE_KEY}</html>"
        for body, status in ((echo, 502), (echo, 400), (echo, 200)):
            self.sandbox.telegram.post(
                "/control/faults",
                json={"fail_next": {"match": "*", "count": 2, "status": status, "body": body}},
            ).raise_for_status()
            self.sandbox.stripe.post(
                "/control/faults",
                json={"fail_next": {"match": "*", "count": 2, "status": status, "body": body}},
            ).raise_for_status()
            for name in (("doctor",), ("bots", "verify", "Planted"), ("plans", "sync")):
                done = (
                    self.place.command(*name, "--wait", "1")
                    if name[0] == "plans"
                    else (self.place.command(*name))
                )
                self.said.texts[f"{' '.join(name)}, in trouble {status}"] = done.out + done.err
            self.sandbox.telegram.post(
                f"/control/users/{self.owner}/messages", json={"bot": self.bot, "text": "/plans"}
            ).raise_for_status()
        for vendor in (self.sandbox.telegram, self.sandbox.stripe):
            vendor.post("/control/faults", json={"reset": True}).raise_for_status()
        wrong = {"X-Telegram-Bot-Api-Secret-Token": SIGNING_SECRET, "Stripe-Signature": STRIPE_KEY}
        for path in ("/telegram/bots/webhooks", "/stripe/bots/webhooks"):
            for number, sent in enumerate((b"", b"{", BOT_TOKEN.encode(), b"\xff" * 10)):
                answer = self.place.http.post(path, content=sent, headers=wrong)
                assert answer.status_code in {400, 403}
                self.said.texts[f"{path} {number}"] = str(answer.headers) + answer.text
        known = {
            "X-Telegram-Bot-Api-Secret-Token": self.said.made["the webhook's secret"],
        }
        answer = self.place.http.post("/telegram/bots/webhooks", content=b"[[", headers=known)
        assert answer.status_code == 400
        self.said.texts["a malformed update"] = str(answer.headers) + answer.text

    def _commands(self) -> None:
        made = self.place.command(
            "createoperator", "anna", "--password", "-", "--json", stdin=PASSWORD + "\n"
        )
        self.said.texts["createoperator"] = made.out + made.err
        lists = [
            ("check",),
            ("doctor",),
            ("bots", "list"),
            ("bots", "show", "Planted"),
            ("bots", "verify", "Planted"),
            ("bots", "add", "--token", BOT_TOKEN, "--chat", "1", "--price", STRIPE_KEY),
            ("plans", "list"),
            ("events", "list", "--limit", "500"),
            ("deadletters", "list"),
            ("members", "list"),
            ("members", "show", str(self.owner), "--bot", "Planted"),
            ("bots", "show", BOT_TOKEN),
            ("deadletters", "replay", STRIPE_KEY),
        ]
        for number, words in enumerate(lists):
            done = self.place.command(*words)
            self.said.texts[f"command {number}, {words[0]}"] = done.out + done.err
        for event in self.place.command("events", "list", "--limit", "8", "--json").json:
            done = self.place.command("events", "show", str(event["id"]))
            self.said.texts[f"events show {event['id']}"] = done.out + done.err

    def _pages(self) -> None:
        """Read what anybody may, then sign in and follow every link of the console."""
        http = self.place.http
        for path in ("/up", "/telegram/bots/health?deep=1", "/metrics", "/nowhere"):
            answer = http.get(path, headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
            self.said.texts[path] = str(answer.headers) + answer.text
        login = http.get("/admin/login/")
        form = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', login.text)
        assert form is not None
        wrong = {"csrfmiddlewaretoken": form[1], "username": "anna", "password": PASSWORD + "!"}
        refused = http.post("/admin/login/", data=wrong)
        self.said.texts["a refused sign-in"] = refused.text
        right = {**wrong, "password": PASSWORD}
        entered = http.post("/admin/login/?next=/admin/", data=right)
        assert entered.status_code == 302, entered.text
        assert len(self._crawl(http)) > 10

    def _crawl(self, http: httpx.Client) -> set[str]:
        """Follow links by GET; what changes something needs a POST."""
        waiting, seen = ["/admin/"], {"/admin/", "/admin/logout/"}
        while waiting and len(seen) < MOST_PAGES:
            path = waiting.pop(0)
            answer = http.get(path, follow_redirects=True)
            assert answer.status_code < 500, path
            self.said.texts[path] = answer.text
            for link in re.findall(r'href="([^"#]+)', answer.text):
                target = urlsplit(urljoin(path, link.replace("&amp;", "&")))
                name = target._replace(scheme="", netloc="", fragment="").geturl()
                inside = not target.netloc and target.path.startswith("/admin/")
                if inside and name not in seen and len(target.query) < 60:
                    seen.add(name)
                    waiting.append(name)
        return seen


@pytest.fixture(scope="module")
def said(
    sandbox: Sandbox, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Said]:
    """Run the whole story once and give all that was emitted on the way."""
    place = Installation(
        tmp_path_factory.mktemp("planted"),
        migrated_file,
        sandbox,
        VELVETROPE_SECRET_KEY=SECRET_KEY,
        VELVETROPE_ENCRYPTION_KEYS=ENCRYPTION_KEY,
        VELVETROPE_STRIPE_API_KEY=STRIPE_KEY,
        VELVETROPE_STRIPE_WEBHOOK_SECRETS=SIGNING_SECRET,
        VELVETROPE_METRICS_TOKEN=METRICS_TOKEN,
    )
    found = Said()
    try:
        Story(sandbox, place, found).run()
        yield found
    finally:
        place.close()


@pytest.mark.parametrize("name", SECRETS)
def test_a_planted_secret_is_nowhere_to_be_read(said: Said, name: str) -> None:
    assert said.where(SECRETS[name]) == []


def test_the_webhooks_secret_is_nowhere_to_be_read(said: Said) -> None:
    assert said.where(said.made["the webhook's secret"]) == []


def test_the_story_shows_enough_to_be_believed(said: Said) -> None:
    assert len([place for place in said.texts if place.startswith("/admin/")]) > 10
    assert "/start" in "".join(said.texts.values())
    assert any("Planted" in text for place, text in said.texts.items() if "bots" in place)
    assert said.texts["the server's log"]


# What the story cannot see: reprs, exceptions, and the log's own last line of defence.


def test_what_holds_a_secret_does_not_show_it() -> None:
    settings = load(
        {
            "VELVETROPE_ENV": "development",
            "VELVETROPE_SECRET_KEY": SECRET_KEY,
            "VELVETROPE_ENCRYPTION_KEYS": ENCRYPTION_KEY,
            "VELVETROPE_STRIPE_API_KEY": STRIPE_KEY,
            "VELVETROPE_STRIPE_WEBHOOK_SECRETS": SIGNING_SECRET,
            "VELVETROPE_METRICS_TOKEN": METRICS_TOKEN,
        }
    )
    holders = (settings, Secret(BOT_TOKEN), Keys([ENCRYPTION_KEY]), Scrubber([METRICS_TOKEN]))
    for shown in (f"{one!r} {one!s}" for one in holders):
        assert "PLANTED" not in shown


def test_a_secret_is_no_text_by_accident() -> None:
    secret = Secret(BOT_TOKEN)
    with pytest.raises(TypeError):
        "token " + secret  # type: ignore[operator]
    with pytest.raises(TypeError):
        json.dumps(secret)
    assert "PLANTED" not in "".join(traceback.format_exception(ValueError(secret)))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"GET /bot{BOT_TOKEN}/getMe", f"GET /bot7123456789:{HIDDEN}/getMe"),
        (f"key={STRIPE_KEY}!", f"key=sk_test_{HIDDEN}!"),
        (f"{SIGNING_SECRET},", f"whsec_{HIDDEN},"),
        ("Authorization: Bearer abcdef0123456789", f"Authorization: Bearer {HIDDEN}"),
        ("postgresql://me:hunter2@db/vr", f"postgresql://{HIDDEN}@db/vr"),
        ("pi_1_secret_0123456789abcdef", f"pi_1_secret_{HIDDEN}"),
        ("2026-11-22T23:00:00.123456+00:00", "2026-11-22T23:00:00.123456+00:00"),
        ("price_1AbCdEfGh prod_1 evt_123456", "price_1AbCdEfGh prod_1 evt_123456"),
        ("http://127.0.0.1:8000/up", "http://127.0.0.1:8000/up"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(text: str, left: str) -> None:
    assert scrub(text) == left


def fail_with(secret: str) -> None:
    raise RuntimeError(f"no {secret}")


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_log_hides_secrets_whoever_logs_them(form: str) -> None:
    stream = io.StringIO()
    before = structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    settings = load(
        {
            "VELVETROPE_ENV": "development",
            "VELVETROPE_LOG_FORMAT": form,
            "VELVETROPE_METRICS_TOKEN": 'PLANTED"metrics"\\0123456789',
        }
    )
    try:
        logs.configure(settings, stream=stream)
        log = structlog.get_logger()
        log.warning("called", url=f"/bot{BOT_TOKEN}/getMe", deep={"keys": [STRIPE_KEY]})
        log.warning("token", value=settings.metrics_token)
        logging.getLogger("library").warning("sent %s", SIGNING_SECRET)
        try:
            fail_with(SIGNING_SECRET)
        except RuntimeError:
            log.exception("failed")
            logging.getLogger("library").exception("failed")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.configure(**before)
    said = stream.getvalue()
    assert said.count("failed") >= 2
    assert said.count("RuntimeError") >= 2
    assert said.count(HIDDEN) >= 5
    assert "PLANTED" not in said
