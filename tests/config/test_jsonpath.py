from __future__ import annotations

from typing import Any

import pytest

from poorwill.config.jsonpath import parse_path
from poorwill.providers.http.jsontest import parse_test

ANSWER = {
    "code": 0,
    "ok": True,
    "one": 1,
    "nothing": None,
    "text": "Success",
    "data": {"list": [{"uuid": "a", "n": 1, "deep": {"er": "x"}}, {"uuid": 7, "n": 2}]},
    "ports": {"8000/tcp": [{"HostPort": "41"}]},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", ANSWER),
        ("$.code", 0),
        ("$.data.list[0].uuid", "a"),
        ("$.data.list[-1].n", 2),
        ("$.data.list[5]", None),
        ("$.data.list[?uuid=={instance}].n", 2),
        ('$.data.list[?uuid=="a"].n', 1),
        ("$.data.list[?n==2].uuid", 7),
        ("$.data.list[?@.deep.er=='x'].n", 1),
        ("$.data.list[?n==9]", None),
        ('$.ports["{port}/tcp"][0].HostPort', "41"),
        ("$.text.more", None),
        ("$.data[0]", None),
        ("$.code[?a==1]", None),
        ("$.nothing.at.all", None),
    ],
)
def test_where_a_value_stands(path: str, found: Any) -> None:
    assert parse_path(path).of(ANSWER, {"instance": "7", "port": "8000"}) == found


@pytest.mark.parametrize(
    "path", ["", "data", "$data", "$..a", "$.a[", "$[*]", "$.a[?b=c]", "$.a[?b==c]", "$.", "$.a b"]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|neither"):
        parse_path(path)


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        ("$.code == 0", True),
        ("$.code == 1", False),
        ("$.code != 1", True),
        ("$.ok == true", True),
        ("$.ok == 1", False),
        ("$.one == true", False),
        ("$.code == false", False),
        ('$.text == "Success"', True),
        ("$.text == 'success'", False),
        ('$.text in ["a", "Success"]', True),
        ("$.code in [1, 2]", False),
        ("$.nothing missing", True),
        ("$.never exists", False),
        ("$.never missing", True),
        ("$.data exists", True),
        ("$.nothing == null", True),
        ("$.data.list[1].uuid == {instance}", True),
        ("$.data.list[0].n == 1.0", True),
    ],
)
def test_what_holds(test: str, holds: bool) -> None:
    assert parse_test(test).holds(ANSWER, {"instance": "7"}) is holds


@pytest.mark.parametrize(
    "test", ["$.a", "$.a = 1", "$.a == x", "a == 1", "$.a in 1, 2", "$.a ==", "", "$.a is there", "$.a[ == 1"]
)
def test_what_is_no_test(test: str) -> None:
    with pytest.raises(ValueError, match=r"test|path|brackets|neither"):
        parse_test(test)


def test_nothing_of_the_answer_is_executed() -> None:
    assert parse_path("$.__class__").of(ANSWER, {}) is None
    assert parse_path("$.list.__len__").of({"list": []}, {}) is None
