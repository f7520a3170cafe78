from __future__ import annotations

import re

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from velvetrope.domain.validation import Invalid
from velvetrope.store.models import AuditEntry
from velvetrope.usecases import operations

pytestmark = pytest.mark.usefixtures("database")


def test_a_generated_password_signs_in() -> None:
    password = operations.create_operator("anna", None, "command line")
    assert re.fullmatch(r"(?:[A-Za-z2-9]{5}-){3}[A-Za-z2-9]{5}", password)
    user = authenticate(username="anna", password=password)
    assert user is not None
    assert user.is_staff
    assert user.has_perm("store.view_payload")


def test_no_two_generated_passwords_are_the_same() -> None:
    assert len({operations.generate_password() for _ in range(100)}) == 100


def test_a_given_password_is_kept_and_a_weak_one_is_refused() -> None:
    given = "a-long-enough-sentence-of-words"
    assert operations.create_operator("anna", given, "command line") == given
    with pytest.raises(ValidationError):
        operations.create_operator("boris", "password123", "command line")
    with pytest.raises(ValidationError):
        operations.create_operator("konstantin", "konstantin12", "command line")
    assert get_user_model().objects.count() == 1


def test_a_name_belongs_to_one_operator() -> None:
    operations.create_operator("anna", None, "command line")
    with pytest.raises(operations.NameTakenError):
        operations.create_operator(" anna ", None, "command line")


@pytest.mark.parametrize("name", ["", "  ", "a b", "x" * 151, "a/b", "a\nb"])
def test_an_unusable_name_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(Invalid):
        operations.create_operator(name, None, "command line")


def test_the_audit_log_knows_who_was_made_and_not_the_password() -> None:
    password = operations.create_operator("anna", None, "command line")
    entry = AuditEntry.objects.get(action="operator.created")
    assert entry.actor == "command line"
    assert entry.after == {"name": "anna"}
    assert password not in str(vars(entry))


def test_a_reset_ends_the_old_password_and_the_sessions_that_it_opened() -> None:
    old = operations.create_operator("anna", None, "command line")
    before = User.objects.get(username="anna").get_session_auth_hash()
    new = operations.reset_operator(" anna ", None, "command line")
    assert authenticate(username="anna", password=old) is None
    assert authenticate(username="anna", password=new) is not None
    assert User.objects.get(username="anna").get_session_auth_hash() != before
    entry = AuditEntry.objects.get(action="operator.reset")
    assert entry.actor == "command line"
    assert new not in str(vars(entry))


def test_a_weak_password_does_not_replace_a_good_one() -> None:
    old = operations.create_operator("anna", None, "command line")
    with pytest.raises(ValidationError):
        operations.reset_operator("anna", "password123", "command line")
    assert authenticate(username="anna", password=old) is not None


def test_a_disabled_operator_stays_out_until_a_reset() -> None:
    password = operations.create_operator("anna", None, "command line")
    operations.disable_operator("anna", "command line")
    assert authenticate(username="anna", password=password) is None
    assert AuditEntry.objects.filter(action="operator.disabled").count() == 1
    new = operations.reset_operator("anna", None, "command line")
    assert authenticate(username="anna", password=new) is not None


def test_who_does_not_exist_is_neither_reset_nor_disabled() -> None:
    with pytest.raises(operations.NoSuchOperatorError):
        operations.reset_operator("anna", None, "command line")
    with pytest.raises(operations.NoSuchOperatorError):
        operations.disable_operator("anna", "command line")
