"""A signed-in browser at the console of a running server: follows links and sends forms."""

from __future__ import annotations

import html
import re
from collections import deque
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from tests.processes import Installation

OPERATOR: Final = "anna"
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LINK = re.compile(r'href="([^"#]+)')
_VALUE = re.compile(r'<(?:input|textarea)\b[^>]*name="([^"]+)"[^>]*>(?:([^<]*)</textarea>)?')
_GIVEN = re.compile(r'\bvalue="([^"]*)"')
_CHOICE = re.compile(r'<select\b[^>]*name="([^"]+)".*?</select>', re.DOTALL)
_CHOSEN = re.compile(r'<option value="([^"]*)"[^>]*\bselected')


class Browser:
    """Cookies of one operator, whose account is made on the way."""

    def __init__(self, installation: Installation, password: str) -> None:
        made = installation.command(
            "createoperator", OPERATOR, "--password", "-", stdin=f"{password}\n"
        )
        assert made.code == 0, made.err
        self._http = httpx.Client(
            base_url=installation.url, timeout=30, trust_env=False, follow_redirects=True
        )
        page = self.post("/admin/login/", {"username": OPERATOR, "password": password})
        assert page.url.path == "/admin/", page.text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str) -> httpx.Response:
        return self._http.get(path)

    def post(self, path: str, fields: Mapping[str, str], *, page: str = "") -> httpx.Response:
        """Send a form with the token of the page that it stands on."""
        token = _CSRF.search(self.get(page or path).text)
        assert token is not None, path
        headers = {"Referer": str(self._http.base_url.join(page or path))}
        return self._http.post(
            path, data={"csrfmiddlewaretoken": token[1], **fields}, headers=headers
        )

    def change(self, path: str, **fields: str) -> httpx.Response:
        """Change some fields of a form and send the others as they are; it must be taken."""
        shown = self.get(path).text
        answer = self.post(path, fields_of(shown) | fields)
        assert answer.url.path != path, answer.text
        return answer

    def walk(self, most: int) -> Iterator[httpx.Response]:
        """Look at pages that links lead to, starting at the first one, at `most` so many."""
        seen, waiting = {"/admin/"}, deque(["/admin/"])
        for _ in range(most):
            if not waiting:
                return
            page = self.get(waiting.popleft())
            yield page
            if "html" not in page.headers.get("content-type", ""):
                continue
            for link in _LINK.findall(page.text):
                parts = urlsplit(urljoin(str(page.url), html.unescape(link)))
                found = parts.path + (f"?{parts.query}" if parts.query else "")
                if found.startswith("/admin/") and "logout" not in found and found not in seen:
                    seen.add(found)
                    waiting.append(found)


def fields_of(page: str) -> dict[str, str]:
    """Read what the inputs of a page hold."""
    fields: dict[str, str] = {}
    for match in _VALUE.finditer(page):
        given = _GIVEN.search(match[0])
        fields[match[1]] = html.unescape(match[2] or (given[1] if given else ""))
    for match in _CHOICE.finditer(page):
        chosen = _CHOSEN.search(match[0])
        fields[match[1]] = html.unescape(chosen[1]) if chosen else ""
    return {name: value.strip() for name, value in fields.items() if not name.startswith("csrf")}
