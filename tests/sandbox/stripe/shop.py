"""A shop of its own in the sandbox's Stripe, for one test."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

from tests.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

Json = dict[str, Any]

_numbers = itertools.count(1)

DAY = 86400


class Shop:
    """One account: `get`, `post` and `delete` are API calls, `control` does what people do."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http
        self.key = f"sk_test_sandbox_shop_{next(_numbers)}"
        made = self.control("accounts", key=self.key, name="Velvet Lounge")
        self.id: str = made["id"]
        self.product, self.monthly, self.once = self._catalog()
        self._seen: int = self.http.get("/control/events").json()["last"]

    def _catalog(self) -> tuple[str, str, str]:
        prices = [{"amount": 990, "interval": "month"}, {"amount": 4900}]
        product = {"name": "The Back Room", "prices": prices}
        made = self.control("catalog", account=self.key, products=[product])["products"][0]
        first, second = made["prices"]
        return made["id"], first["id"], second["id"]

    def control(self, path: str, **body: Any) -> Any:
        answer = self.http.post(f"/control/{path}", json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def call(self, method: str, path: str, **form: Any) -> httpx.Response:
        """Make an API call; form fields are named as they travel."""
        return self.http.request(
            method,
            f"/v1/{path}",
            headers={"Authorization": f"Bearer {self.key}"},
            # Empty `params` would make the client drop the query that `path` holds.
            params=form if method == "GET" and form else None,
            data=form if method != "GET" else None,
        )

    def get(self, path: str, **form: Any) -> Json:
        answer = self.call("GET", path, **form)
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    def post(self, path: str, **form: Any) -> Json:
        answer = self.call("POST", path, **form)
        assert answer.is_success, answer.text
        made: Json = answer.json()
        return made

    def checkout(self, price: str | None = None, **form: Any) -> Json:
        """Open a session for one price, the monthly one by default."""
        price = price or self.monthly
        return self.post(
            "checkout/sessions",
            **{
                "mode": "payment" if price == self.once else "subscription",
                "line_items[0][price]": price,
                "line_items[0][quantity]": "1",
                "success_url": "https://shop.example/thanks?session={CHECKOUT_SESSION_ID}",
                "cancel_url": "https://shop.example/",
                **form,
            },
        )

    def pay(self, session: Json, **how: Any) -> Json:
        paid: Json = self.control(f"checkouts/{session['id']}/pay", **how)
        return paid

    def subscribe(self, card: str = "good", **form: Any) -> Json:
        """Buy the monthly price and give the subscription."""
        paid = self.pay(self.checkout(**form), card=card)
        return self.get(f"subscriptions/{paid['subscription']}")

    def advance(self, seconds: float) -> None:
        self.control("clock", seconds=seconds)

    def events(self) -> list[Json]:
        """Give this account's events since the last time."""
        found = self.http.get("/control/events", params={"after": self._seen, "limit": 5000}).json()
        self._seen = found["last"]
        return [event for event in found["events"] if event["account"] == self.id]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]


class Receiver:
    """Takes webhooks; answers with the statuses of `answers` in turn, then 200."""

    def __init__(self, url: str, received: list[tuple[str, bytes]], answers: list[int]) -> None:
        self.url, self.received, self.answers = url, received, answers

    def wait_for(self, count: int) -> list[tuple[str, bytes]]:
        """Give the (signature, body) pairs once there are `count` of them."""
        eventually(lambda: len(self.received) >= count, what=f"{count} webhooks")
        return self.received


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serve a webhook endpoint on a free port."""
    received: list[tuple[str, bytes]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.headers["Stripe-Signature"], body))
            self.send_response(answers.pop(0) if answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Receiver(f"http://127.0.0.1:{server.server_port}/hook", received, answers)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
