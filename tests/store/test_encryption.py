from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.store.encryption import Keys, Secret, UnreadableSecretError
from velvetrope.store.models import StripeAccount

texts = st.text(st.characters(codec="utf-8"), max_size=200)


@given(texts)
def test_what_was_encrypted_is_read_again_and_looks_different_each_time(text: str) -> None:
    keys = Keys(["first key of the tests"])
    one, other = keys.encrypt(text), keys.encrypt(text)
    assert one != other
    assert keys.decrypt(one) == keys.decrypt(other) == text


def test_a_new_first_key_still_reads_and_finds_what_the_old_one_wrote() -> None:
    old, rolled = Keys(["old"]), Keys(["new", "old"])
    assert rolled.decrypt(old.encrypt("word")) == "word"
    assert old.look_up_hash("word") in rolled.look_up_hashes("word")
    assert rolled.look_up_hash("word") != old.look_up_hash("word")


def test_without_its_key_a_secret_is_unreadable_and_nothing_of_it_is_said() -> None:
    cipher = Keys(["lost"]).encrypt("swordfish")
    with pytest.raises(UnreadableSecretError) as caught:
        Keys(["another"]).decrypt(cipher)
    assert "swordfish" not in repr(caught.value)
    assert caught.value.__cause__ is None


@given(texts, texts)
def test_only_equal_texts_have_equal_hashes(one: str, other: str) -> None:
    keys = Keys(["the key"])
    assert (keys.look_up_hash(one) == keys.look_up_hash(other)) == (one == other)


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("swordfish")
    assert "swordfish" not in f"{secret} {secret!r} {[secret]}"


@pytest.mark.sqlite_only
def test_a_stored_secret_is_cipher_text_in_the_file_and_a_secret_in_the_row(
    database: str,
) -> None:
    row = StripeAccount(name="Shop", api_key=Secret("sk_test_swordfish0123"))
    row.save()
    stored = StripeAccount.objects.get(id=row.id)
    assert stored.api_key is not None
    assert "swordfish" not in repr(vars(stored))
    assert stored.api_key.reveal() == "sk_test_swordfish0123"
    whole = Path(database.removeprefix("sqlite:///"))
    written = b"".join(
        file.read_bytes() for file in whole.parent.glob(f"{whole.name}*") if file.is_file()
    )
    assert b"Shop" in written
    assert b"swordfish" not in written


@pytest.mark.usefixtures("database")
def test_saving_a_row_again_keeps_secrets_that_were_not_touched() -> None:
    row = StripeAccount(name="Shop", api_key=Secret("sk_test_swordfish0123"))
    row.save()
    stored = StripeAccount.objects.get(id=row.id)
    stored.name = "Other"
    stored.save()
    assert StripeAccount.objects.get(id=row.id).api_key == Secret("sk_test_swordfish0123")
