"""Digests as they are written down and as Envoy computes them (``tests/gateway/test_guard.py``)."""

from __future__ import annotations

import hashlib

import pytest

from poorwill.core.credential import key_digest, user_digest, written_key, written_user

SALT = "0011223344556677"


def test_a_password_counts_for_its_name_and_salt_only() -> None:
    digest = user_digest(SALT, "ann", "secret")
    assert digest == hashlib.sha256(b"0011223344556677:ann:secret").hexdigest()
    assert digest != user_digest(SALT[::-1], "ann", "secret")
    assert digest != user_digest(SALT, "bob", "secret")


def test_what_is_written_down_is_read_again() -> None:
    digest = user_digest(SALT, "ann", "secret")
    assert written_user(f"sha256:{SALT}:{digest}") == (SALT, digest)
    assert written_key(f"sha256:{key_digest('k')}") == key_digest("k")


@pytest.mark.parametrize(
    "text", ["", "sha256:", f"sha256:{'a' * 63}", f"sha256:{'A' * 64}", f"x:{'a' * 64}", "k"]
)
def test_anything_else_is_no_digest(text: str) -> None:
    assert written_user(text) is None
    assert written_key(text) is None


def test_one_is_not_taken_for_the_other() -> None:
    assert written_user(f"sha256:{key_digest('k')}") is None
    assert written_key(f"sha256:{SALT}:{key_digest('k')}") is None
