"""Signatures that some clouds want instead of a token in a header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def ucloud(form: Mapping[str, str], private_key: str) -> dict[str, str]:
    """The form with its ``Signature``: SHA-1 over the keys and values in the order of the keys, and the
    private key behind them.
    """
    text = "".join(f"{key}{form[key]}" for key in sorted(form))
    signature = hashlib.sha1(f"{text}{private_key}".encode(), usedforsecurity=False).hexdigest()
    return {**form, "Signature": signature}
