"""What operators decide about plans, Stripe accounts, texts and integrations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.web.console.rows import (
    SECRETS,
    World,
    make_account,
    make_integration,
    make_item,
    make_world,
)
from velvetrope.domain.states import EventState, ItemState
from velvetrope.domain.validation import Invalid
from velvetrope.store.models import (
    AuditEntry,
    Chat,
    InboxEvent,
    Integration,
    OutboxItem,
    Plan,
    StripeAccount,
    TextOverride,
)
from velvetrope.usecases import operations
from velvetrope.usecases.operations import PlanChoices
from velvetrope.usecases.operations.texts import remove_text, save_text

ACTOR = "operator:anna"
OTHER_KEY = "sk_test_anotherKeyThatNobodyMaySee98765"
OTHER_SECRET = "whsec_anotherSecretThatNobodyMaySee"


@pytest.fixture
def world(database: object) -> World:  # noqa: ARG001  must exist first
    return make_world()


def _choices(world: World) -> PlanChoices:
    return PlanChoices(
        position=2,
        on_sale=False,
        allow_promotion_codes=True,
        trial_days=7,
        duration_days=None,
        chat_ids=[world.chat.pk],
    )


def _audit() -> str:
    return "\n".join(str(vars(entry)) for entry in AuditEntry.objects.all())


def test_a_plan_keeps_what_was_chosen_and_moves_the_revision(world: World) -> None:
    before = Integration.objects.get(pk=world.integration.pk).revision
    second = Chat.objects.create(integration=world.integration, telegram_id=-1_001_000_000_002)
    operations.change_plan(world.plan.pk, replace(_choices(world), chat_ids=[second.pk]), ACTOR)
    plan = Plan.objects.get(pk=world.plan.pk)
    assert (plan.position, plan.on_sale, plan.trial_days) == (2, False, 7)
    assert list(plan.chats.all()) == [second]
    assert Integration.objects.get(pk=world.integration.pk).revision > before


def test_a_plans_change_is_audited_once(world: World) -> None:
    operations.change_plan(world.plan.pk, _choices(world), ACTOR)
    operations.change_plan(world.plan.pk, _choices(world), ACTOR)
    entry = AuditEntry.objects.get(action="plan.changed")
    assert entry.before is not None
    assert entry.before["on_sale"] is True
    assert entry.after is not None
    assert entry.after["on_sale"] is False


def test_a_plan_refuses_what_makes_no_sense(world: World) -> None:
    foreign = Chat.objects.create(
        integration=make_integration(world.account, 2), telegram_id=-1_001_000_000_003
    )
    good = _choices(world)
    bad = (
        replace(good, trial_days=0),
        replace(good, trial_days=731),
        replace(good, duration_days=0),
        replace(good, chat_ids=[]),
        replace(good, chat_ids=[foreign.pk]),
    )
    for choices in bad:
        with pytest.raises(Invalid):
            operations.change_plan(world.plan.pk, choices, ACTOR)
    assert Plan.objects.get(pk=world.plan.pk).on_sale


@pytest.mark.usefixtures("database")
def test_a_stripe_account_is_stored_with_its_secrets_and_none_is_audited() -> None:
    key = operations.add_stripe_account("Club", OTHER_KEY, f"{OTHER_SECRET} {OTHER_SECRET}x", ACTOR)
    account = StripeAccount.objects.get(pk=key)
    assert account.api_key is not None
    assert account.api_key.reveal() == OTHER_KEY
    assert account.webhook_secrets is not None
    assert account.webhook_secrets.reveal() == f"{OTHER_SECRET}\n{OTHER_SECRET}x"
    assert account.livemode is False
    assert OTHER_KEY not in _audit()
    assert OTHER_SECRET not in _audit()


def test_blank_secrets_keep_what_is_stored(world: World) -> None:
    operations.change_stripe_account(
        world.account.pk, name="Renamed", api_key="", webhook_secrets="", actor=ACTOR
    )
    account = StripeAccount.objects.get(pk=world.account.pk)
    assert account.name == "Renamed"
    assert account.api_key is not None
    assert account.api_key.reveal() in SECRETS


def test_new_secrets_replace_the_old_and_are_tried(world: World) -> None:
    StripeAccount.objects.update(problem={"code": "stripe_key_invalid", "data": {}})
    operations.change_stripe_account(
        world.account.pk,
        name=world.account.name,
        api_key=OTHER_KEY,
        webhook_secrets=OTHER_SECRET,
        actor=ACTOR,
    )
    account = StripeAccount.objects.get(pk=world.account.pk)
    assert account.api_key is not None
    assert account.api_key.reveal() == OTHER_KEY
    assert InboxEvent.objects.filter(kind="register").count() == 1
    assert account.revision > 0
    entry = AuditEntry.objects.get(action="stripe_account.changed")
    assert entry.after == {
        "name": account.name,
        "api_key": "(replaced)",
        "webhook_secrets": "(replaced)",
    }


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("sk_live_0123456789abcdef", "stripe_key_of_other_mode"),
        ("pk_test_0123456789abcdef", "stripe_key_publishable"),
        ("nonsense", "stripe_key_malformed"),
    ],
)
def test_a_key_that_cannot_be_right_is_refused(world: World, key: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        operations.change_stripe_account(
            world.account.pk, name="x", api_key=key, webhook_secrets="", actor=ACTOR
        )
    assert refusal.value.code == code
    assert key not in str(refusal.value)


@pytest.mark.usefixtures("database")
def test_the_account_of_the_environment_is_changed_in_the_environment() -> None:
    account = StripeAccount.objects.create(name="environment", from_environment=True)
    with pytest.raises(Invalid, match="VELVETROPE_STRIPE_API_KEY"):
        operations.change_stripe_account(
            account.pk, name="environment", api_key=OTHER_KEY, webhook_secrets="", actor=ACTOR
        )


def test_two_accounts_need_two_names(world: World) -> None:
    make_account("Second")
    with pytest.raises(Invalid) as refusal:
        operations.change_stripe_account(
            world.account.pk, name="Second", api_key="", webhook_secrets="", actor=ACTOR
        )
    assert refusal.value.code == "name_taken"


def test_a_text_is_kept_changed_and_removed_each_on_record(world: World) -> None:
    world.text.delete()
    key = save_text(world.integration.pk, "uk", "button.enter", " Заходьте ", ACTOR)
    assert save_text(world.integration.pk, "uk", "button.enter", "Увійти", ACTOR) == key
    assert TextOverride.objects.get(pk=key).text == "Увійти"
    remove_text(key, ACTOR)
    assert not TextOverride.objects.exists()
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["text.added", "text.changed", "text.removed"]


def test_a_text_with_an_unknown_placeholder_is_refused(world: World) -> None:
    with pytest.raises(Invalid):
        save_text(world.integration.pk, "en", "button.enter", "Enter, {nobody}", ACTOR)
    assert TextOverride.objects.get().text == "Come in"


def test_switching_off_and_on_is_audited_and_on_verifies(world: World) -> None:
    assert operations.set_active(world.integration.pk, ACTOR, active=False)
    assert not operations.set_active(world.integration.pk, ACTOR, active=False)
    assert not Integration.objects.get(pk=world.integration.pk).active
    assert not InboxEvent.objects.filter(kind="register").exists()
    assert operations.set_active(world.integration.pk, ACTOR, active=True)
    assert InboxEvent.objects.get(kind="register").state == EventState.PENDING
    assert AuditEntry.objects.count() == 2


def test_verifying_and_syncing_leave_jobs_for_the_server(world: World) -> None:
    verified = operations.verify(world.integration.pk, ACTOR)
    synced = operations.sync_plans(world.integration.pk, ACTOR)
    jobs = InboxEvent.objects.filter(source="job", state=EventState.PENDING)
    assert set(jobs.values_list("external_id", flat=True)) == {verified, synced}
    assert AuditEntry.objects.count() == 2


def test_what_waits_for_a_fix_goes_out_again(world: World) -> None:
    waiting = make_item(world.customer, state=ItemState.SUSPENDED.value)
    assert operations.resume_items(world.integration.pk, ACTOR) == 1
    assert operations.resume_items(world.integration.pk, ACTOR) == 0
    assert OutboxItem.objects.get(pk=waiting.pk).state == ItemState.PENDING
    assert AuditEntry.objects.get().after == {"items": 1}
