"""What every page has: the frame, the ribbon that says what this is, and the headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from .html import Html, fill, when

if TYPE_CHECKING:
    from .language import Language

# No form-action: after a payment the form leads on to the shop's own address, wherever it is.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_FRAME = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="/assets/sandbox.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/sandbox.css">
</head>
<body>
<p class="ribbon"><span>{ribbon}</span></p>
{body}
</body>
</html>
"""

_MESSAGE = """<main class="narrow"><section class="card message">
<h1>{title}</h1><p>{text}</p>{link}
</section></main>"""

_LINK = '<p><a class="button quiet" href="{address}">{words}</a></p>'


def page(language: Language, title: str, body: Html, status: int = 200) -> HTMLResponse:
    """Answer a whole page."""
    content = fill(
        _FRAME,
        language=language.code,
        title=title,
        ribbon=language.text("ribbon"),
        body=body,
    )
    return HTMLResponse(content, status, _HEADERS)


def message(
    language: Language, kind: str, address: str | None = None, status: int = 200
) -> HTMLResponse:
    """Answer a page that says one thing: `done`, `expired` or `missing`."""
    title = language.text(f"{kind}_title")
    link = when(address, fill(_LINK, address=address or "", words=language.text("back")))
    body = fill(_MESSAGE, title=title, text=language.text(f"{kind}_text"), link=link)
    return page(language, title, body, status)
