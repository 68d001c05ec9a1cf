"""The admin API's own checks; what it does is proven with the real program in tests/acceptance."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from poorwill.web.api import Demand


@pytest.mark.parametrize("seconds", ["1e999", "Infinity", "1e308", "NaN", "0", "-1"])
def test_a_span_no_clock_can_hold_is_refused(seconds: str) -> None:
    with pytest.raises(ValidationError):
        Demand.model_validate_json(f'{{"seconds": {seconds}}}')


def test_a_span_may_be_left_open() -> None:
    assert Demand.model_validate_json("{}").seconds is None
    assert Demand.model_validate_json('{"seconds": 7200}').seconds == 7200
