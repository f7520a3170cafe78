"""Secrets at rest: encrypted with the first key, readable with every key, found by a keyed hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Expression


class Secret:
    """A text that shows itself only to `reveal()`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self._text.encode(), other._text.encode()
        )

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)


class UnreadableSecretError(Exception):
    """None of VELVETROPE_ENCRYPTION_KEYS opens this secret.

    Put the key that it was written with back into the list, behind the first.
    """


def fernet_key(key: str) -> bytes:
    """Derive the 32 bytes that Fernet wants from a key of any length."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"velvetrope:encrypt:" + key.encode()).digest())


class Keys:
    """The installation's encryption keys; the first one encrypts."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(fernet_key(key)) for key in keys])
        self._hash_keys = [
            hashlib.sha256(b"velvetrope:look-up:" + key.encode()).digest() for key in keys
        ]

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, blob: bytes) -> str:
        try:
            return self._fernet.decrypt(blob).decode()
        except InvalidToken:
            raise UnreadableSecretError from None

    def look_up_hash(self, text: str) -> str:
        """Give the hash that rows are written with: 64 hexadecimal digits."""
        return self.look_up_hashes(text)[0]

    def look_up_hashes(self, text: str) -> list[str]:
        """Give the hash under every key, so that rows from before a rotation are found too."""
        return [
            hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
            for key in self._hash_keys
        ]


_keys: dict[tuple[str, ...], Keys] = {}


def installation_keys() -> Keys:
    """Give the keys that the settings name."""
    names = tuple(settings.VELVETROPE_ENCRYPTION_KEYS)
    if names not in _keys:
        _keys[names] = Keys(names)
    return _keys[names]


if TYPE_CHECKING:
    SecretColumn = models.BinaryField[Secret | None, Secret | None]
else:
    SecretColumn = models.BinaryField


class EncryptedField(SecretColumn):
    """A column of cipher text that reads and writes `Secret`."""

    def from_db_value(
        self,
        value: bytes | memoryview | None,
        expression: Expression,  # noqa: ARG002  Django's signature
        connection: BaseDatabaseWrapper,  # noqa: ARG002  Django's signature
    ) -> LazySecret | None:
        return None if value is None else LazySecret(bytes(value))

    def get_prep_value(self, value: Secret | None) -> bytes | None:
        if value is None:
            return None
        if isinstance(value, LazySecret):
            return value.cipher_text
        return installation_keys().encrypt(value.reveal())


class LazySecret(Secret):
    """A secret from the database, decrypted only when somebody asks: lists never pay for it."""

    __slots__ = ("cipher_text",)

    def __init__(self, cipher_text: bytes) -> None:
        super().__init__("")
        self.cipher_text = cipher_text

    def reveal(self) -> str:
        if not self._text:
            self._text = installation_keys().decrypt(self.cipher_text)
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(
            self.reveal().encode(), other.reveal().encode()
        )

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __bool__(self) -> bool:
        return True
