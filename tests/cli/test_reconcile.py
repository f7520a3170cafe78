from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Shop
    from tests.processes import Installation

pytestmark = pytest.mark.both_databases


def test_without_a_server_the_command_goes_through_everything_itself(
    installation: Installation, shop: Shop
) -> None:
    shop.promote()
    assert shop.add(installation, "--json").code == 0
    for command in ("reconcile", "rebuild"):
        done = installation.command(command, "--json")
        assert done.code == 0, done.err
        assert {one["what"].split()[0] for one in done.json} == {"Stripe", "people"}
    events = installation.command("backfill", "--since", "7d", "--json")
    assert events.code == 0, events.err
    [found] = events.json
    assert found["found"] == found["known"] + found["new"]
    again = installation.command("backfill", "--since", "7d", "--json").json[0]
    assert again["new"] == 0


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ("yesterday", "This is no time"),
        ("2999-01-01", "yet to come"),
        ("60d", "30 days only"),
        ("0d", "This is no time"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(
    installation: Installation, shop: Shop, since: str, said: str
) -> None:
    shop.promote()
    assert shop.add(installation, "--json").code == 0
    done = installation.command("backfill", "--since", since)
    assert done.code == 2
    assert said in done.err


def test_an_account_that_is_not_there_is_named(installation: Installation) -> None:
    done = installation.command("backfill", "--since", "7d", "--stripe-account", "Nobody")
    assert done.code == 2
    assert "no such Stripe account" in done.err


def test_without_a_bot_there_is_nothing_to_go_through(installation: Installation) -> None:
    done = installation.command("reconcile")
    assert done.code == 2
    assert "no bot that is switched on" in done.err
