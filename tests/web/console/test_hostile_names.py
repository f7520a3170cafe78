"""Names, titles and payloads are other people's: on a page they are text, whatever they hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import IntegrityError, models
from django.db.transaction import atomic
from django.urls import reverse
from django.utils.http import urlencode

from tests.web.console.test_pages import ROWS, _pages

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.console.rows import World

PAYLOAD = "\"'><img src=x onerror=alert(1)>{{313*313}}</title></script><script>"
#: What pages read as more than text, and the product alone writes.
_READ_AS = {"language", "time_zone"}
#: What a browser would take for more than text.
MARKS = ("<img src=x", "</script><script>", "\"'>", "97969")


def plant() -> int:
    """Put the payload wherever a text column has room for it; gives the number of columns."""
    planted = 0
    for model in apps.get_app_config("store").get_models():
        for field in model._meta.concrete_fields:
            fits = isinstance(field, models.CharField | models.TextField) and not field.choices
            if not fits or field.primary_key or field.name in _READ_AS:
                continue
            text = PAYLOAD[: field.max_length] if field.max_length else PAYLOAD
            with suppress(IntegrityError), atomic():  # what the database itself keeps to its form
                model._base_manager.update(**{field.name: text})
                planted += 1
    return planted


@pytest.fixture
def pages(world: World) -> list[str]:
    found = _pages(world)
    query = {
        "q": PAYLOAD,
        "code": PAYLOAD,
        "o": PAYLOAD,
        "p": PAYLOAD,
        "_changelist_filters": PAYLOAD,
    }
    asked = [f"{reverse(f'admin:store_{model}_changelist')}?{urlencode(query)}" for model in ROWS]
    dead = f"{reverse('admin:dead_letters')}?{urlencode(query)}"
    return [*found, *asked, dead, f"{reverse('admin:login')}?{urlencode({'next': PAYLOAD})}"]


def test_no_page_takes_a_name_for_markup(browser: Client, world: World, pages: list[str]) -> None:
    before = {page: browser.get(page, follow=True).content.decode() for page in pages}
    assert plant() > 15
    get_user_model().objects.update(first_name=PAYLOAD[:150])
    for page in pages:
        answer = browser.get(page, follow=True)
        assert answer.status_code in {200, 400, 404}, page
        text = answer.content.decode()
        for mark in MARKS:
            assert text.count(mark) <= before[page].count(mark), (page, mark)
    assert world.customer.pk
