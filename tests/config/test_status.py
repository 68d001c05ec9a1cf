from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from poorwill.config.status import StatusRanges
from poorwill.config.traffic import Ready

adapter = TypeAdapter(StatusRanges)


@pytest.mark.parametrize(
    ("value", "ranges"),
    [
        (200, ((200, 200),)),
        ("204", ((204, 204),)),
        ("2XX", ((200, 299),)),
        ("200-399", ((200, 399),)),
        ([200, "3xx"], ((200, 200), (300, 399))),
    ],
)
def test_reading_and_writing(value: object, ranges: object) -> None:
    read = adapter.validate_python(value)
    assert read == ranges
    assert adapter.validate_python(adapter.dump_python(read, mode="json")) == ranges


@pytest.mark.parametrize("value", [99, 600, "6xx", "ok", "299-200", [], [True], True, None, {}])
def test_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        adapter.validate_python(value)


def test_what_counts_as_ready() -> None:
    assert [code for code in (199, 200, 302, 399, 400, 500) if Ready().accepts(code)] == [200, 302, 399]
    assert Ready.model_validate({"status": [404, "5xx"]}).accepts(404)
    assert not Ready.model_validate({"status": [404, "5xx"]}).accepts(200)
