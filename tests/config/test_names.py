from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from poorwill.config.names import HostName, HostNames, PathPrefix, Pattern, RequestPath, ServiceName

CASES: list[tuple[Any, list[tuple[object, object]], list[object]]] = [
    (
        ServiceName,
        [("a", "a"), ("9-x", "9-x"), ("a" * 63, "a" * 63)],
        ["", "A", "-a", "a b", "a.b", "a_b", "a" * 64],
    ),
    (
        HostName,
        [
            ("Notes.Example.COM", "notes.example.com"),
            ("example.com.", "example.com"),
            ("*.Example.com", "*.example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("my_service", "my_service"),
            ("bücher.example", "xn--bcher-kva.example"),
        ],
        ["", "*", "a.*.com", "**.com", "http://a", "a:80", "a/b", "a b", "-a", "a..b", "a" * 64, 5, None],
    ),
    (HostNames, [("A", ("a",)), (["a", "B"], ("a", "b")), ([], ())], [5, [5], {"a": 1}]),
    (
        PathPrefix,
        [
            ("/notes", "/notes"),
            ("/notes/", "/notes"),
            ("/a/b", "/a/b"),
            ("/", ""),
            ("/.poorwillx", "/.poorwillx"),
        ],
        [
            "",
            "notes",
            "/a*",
            "/a?b",
            "/a#b",
            "/a b",
            "/a//b",
            "/a/../b",
            "/.poorwill",
            "/.poorwill/x",
            5,
            "//",
        ],
    ),
    (
        RequestPath,
        [("/", "/"), ("/healthz", "/healthz"), ("/a/?q=1&r=//x", "/a/?q=1&r=//x")],
        ["", "healthz", "http://x/", "/a b", "/a#b", "/a\tb", 5],
    ),
    (
        Pattern,
        [
            ("/exact", "/exact"),
            ("/prefix/*", "/prefix/*"),
            ("/a/**/b*", "/a/**/b*"),
            ("post  /v1/*", "POST /v1/*"),
        ],
        ["", "x", "*", "FOO /a", "GET", "GET /a b", "/a?b", "/a***", 5],
    ),
]


@pytest.mark.parametrize(
    ("kind", "value", "result"), [(kind, value, result) for kind, good, _ in CASES for value, result in good]
)
def test_accepted(kind: Any, value: object, result: object) -> None:
    assert TypeAdapter(kind).validate_python(value) == result


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, _, bad in CASES for value in bad])
def test_refused(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)
