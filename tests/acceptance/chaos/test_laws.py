"""Each law holds on an ordinary day, and refuses what was doctored."""

from __future__ import annotations

import pytest
from tests.acceptance.chaos.laws import Law, all_laws, breaches
from tests.acceptance.chaos.sample import lawful


def test_the_sample_is_lawful() -> None:
    assert breaches(lawful()) == []


@pytest.mark.parametrize("law", all_laws(), ids=lambda law: law.__name__.rpartition(".")[2])
def test_what_was_doctored_is_refused(law: Law) -> None:
    doctored = list(law.spoiled(lawful()))
    assert doctored, "a law that nothing can break is none"
    for number, record in enumerate(doctored):
        assert list(law.broken(record)), f"doctored record {number} passed"
