"""The page that asks before something is done: what it is, and a button that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.template.response import TemplateResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from velvetrope.web.console.vendor import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked; the same form is posted again, with `confirmed` besides `fields`."""

    title: str
    #: Who or what it is about.
    subject: str
    words: str
    #: What the button says, and how it looks: default, primary or danger.
    label: str
    look: str
    post_to: str
    #: Where «Cancel» leads to.
    back: str
    fields: Sequence[tuple[str, str]]
    #: What would change, line by line.
    notes: Sequence[str] = ()


def ask(request: HttpRequest, site: Site, question: Question) -> HttpResponse:
    context = {**site.each_context(request), "title": question.title, "question": question}
    return TemplateResponse(request, "console/confirm.html", context)
