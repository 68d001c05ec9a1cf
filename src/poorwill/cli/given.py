"""What is typed behind an option, understood as in poorwill.yaml."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from poorwill.errors import BadInput

T = TypeVar("T")


def seconds(option: str, text: str) -> float:
    """A duration such as ``10m``."""
    from poorwill.config.units import parse_duration

    return _given(option, text, parse_duration)


def money(option: str, text: str) -> tuple[Decimal, str]:
    """An amount, and its currency where that is said with it: ``3.90`` or ``3.90 CNY``."""
    from poorwill.config.currency import parse_amount

    amount = _given(option, text, parse_amount)
    return amount.value, amount.currency


def currency(option: str, text: str) -> str:
    from poorwill.config.currency import parse_currency

    return _given(option, text, parse_currency)


def memory(option: str, text: str) -> int:
    """Bytes of ``14GB``."""
    from poorwill.config.memory import parse_memory

    return _given(option, text, parse_memory)


def _given(option: str, text: str, understand: Callable[[object], T]) -> T:
    from pydantic_core import PydanticCustomError

    try:
        return understand(text)
    except PydanticCustomError as error:
        hint = str((error.context or {}).get("hint") or "")
        raise BadInput(f"{option} {text}: {error.message()}", hint=hint) from error
