from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.test.utils import CaptureQueriesContext

from velvetrope.store.catalogue import Catalogue
from velvetrope.store.models import Chat, Plan, TextOverride

if TYPE_CHECKING:
    from velvetrope.store.models import Integration


def test_a_view_that_nobody_changed_costs_one_statement_and_is_the_same_object(
    integration: Integration,
) -> None:
    catalogue = Catalogue()
    first = catalogue.view(integration.id)
    with CaptureQueriesContext(connection) as asked:
        assert catalogue.view(integration.id) is first
    assert len(asked) <= 1


def test_every_change_of_what_belongs_to_an_integration_is_seen_at_once(
    integration: Integration,
) -> None:
    catalogue = Catalogue()
    views = [catalogue.view(integration.id)]
    TextOverride.objects.create(integration=integration, language="en", key="name", text="{name}")
    views.append(catalogue.view(integration.id))
    Chat.objects.get().delete()
    views.append(catalogue.view(integration.id))
    plan = Plan.objects.get()
    plan.on_sale = False
    plan.save()
    last = catalogue.view(integration.id)
    assert len({id(one) for one in [*views, last]}) == 4
    assert last is not None
    assert (last.chats, last.plans_for_sale) == ((), ())


def test_a_view_shows_no_token(integration: Integration) -> None:
    assert "7:token" not in repr(Catalogue().view(integration.id))


def test_integrations_that_are_not_there_are_left_out(integration: Integration) -> None:
    assert set(Catalogue().views([integration.id, integration.id + 1])) == {integration.id}
