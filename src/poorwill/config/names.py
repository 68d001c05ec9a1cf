"""Names that visitors and services use: hosts, paths, services' own names, traffic patterns."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from poorwill.config.complaint import expected

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")
_SERVICE = "[a-z0-9][a-z0-9-]{0,62}"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")
RESERVED = "/.poorwill"
"""Paths at and below this one belong to Poorwill on every host."""


def _service_name(value: str) -> str:
    if not re.fullmatch(_SERVICE, value):
        suggestion = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:63]
        raise expected(
            "a service name of at most 63 small letters, digits and dashes",
            f"write {suggestion}" if suggestion else "",
        )
    return value


def _host(value: object) -> str:
    what = "a host name such as notes.example.com"
    if not isinstance(value, str):
        raise expected(what)
    text = value.strip().lower().removesuffix(".")
    if not text.isascii():
        text = _ascii_host(text, what)
    if text == "*":
        raise expected(what, "for every host leave hosts out and write path: /")
    if not _HOST.fullmatch(text):
        raise expected(what, _host_hint(text))
    return text


def _ascii_host(text: str, what: str) -> str:
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise expected(what) from error


def _host_hint(text: str) -> str:
    bare = re.sub(r"^[a-z]+://", "", text)
    bare = re.split(r"[/:]", bare, maxsplit=1)[0]
    if bare != text and _HOST.fullmatch(bare):
        return f"without scheme, port or path: {bare}"
    if "*" in text:
        return "a * can only stand alone in front: *.example.com"
    return ""


def _path_error(text: str, *, query: bool) -> PydanticCustomError | None:
    what = "a path such as /notes" if not query else "a path such as /healthz"
    if not text.startswith("/"):
        return expected(what, f"begin it with a slash: /{text}" if text and "://" not in text else "")
    if not text.isprintable() or " " in text:
        return expected(what, "a path has no spaces; write %20")
    path, mark, _ = text.partition("?")
    if "#" in text or (mark and not query):
        return expected(what, f"leave out what begins with {'#' if query else '? or #'}")
    if "//" in path or any(part in (".", "..") for part in path.split("/")):
        return expected(what, "without //, /./ or /../")
    return None


def _prefix(value: object) -> str:
    if not isinstance(value, str):
        raise expected("a path such as /notes")
    text = value.strip()
    error = _path_error(text, query=False)
    if error is None and "*" in text:
        error = expected("a path such as /notes", "without *: a path covers everything below it")
    if error is None and (text == RESERVED or text.startswith(f"{RESERVED}/")):
        error = expected(f"a path outside {RESERVED}", "these paths belong to Poorwill")
    if error is not None:
        raise error
    return text.rstrip("/")


def _request_path(value: object) -> str:
    if not isinstance(value, str):
        raise expected("a path such as /healthz")
    text = value.strip()
    error = _path_error(text, query=True)
    if error is not None:
        raise error
    return text


def _pattern(value: object) -> str:
    what = "a pattern such as /heartbeat/* or POST /v1/*"
    if not isinstance(value, str):
        raise expected(what)
    words = value.split()
    path = words[-1] if words else ""
    if len(words) not in (1, 2) or not path.startswith("/"):
        raise expected(what)
    if "***" in path or "?" in path or "#" in path:
        raise expected(what, "* is part of a path segment, ** is anything; what follows a ? is not looked at")
    if len(words) == 1:
        return path
    method = words[0].upper()
    if method not in _METHODS:
        raise expected(what, f"the methods are {', '.join(_METHODS)}")
    return f"{method} {path}"


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


ServiceName = Annotated[
    str, AfterValidator(_service_name), WithJsonSchema({"type": "string", "pattern": f"^{_SERVICE}$"})
]
HostName = Annotated[
    str,
    PlainValidator(_host),
    WithJsonSchema({"type": "string", "examples": ["notes.example.com", "*.example.com"]}),
]
HostNames = Annotated[
    tuple[HostName, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"type": ["array", "string"], "items": {"type": "string"}}),
]
PathPrefix = Annotated[
    str,
    PlainValidator(_prefix),
    PlainSerializer(lambda prefix: prefix or "/", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^/", "examples": ["/notes"]}),
]
"""Without a slash at the end, so that ``/`` becomes the empty string."""

RequestPath = Annotated[
    str,
    PlainValidator(_request_path),
    WithJsonSchema({"type": "string", "pattern": "^/", "examples": ["/healthz"]}),
]
Pattern = Annotated[
    str,
    PlainValidator(_pattern),
    WithJsonSchema(
        {"type": "string", "pattern": "^([A-Za-z]+ +)?/", "examples": ["/heartbeat/*", "POST /v1/*"]}
    ),
]
"""An exact path or a glob, with an upper-case method and one space in front where there is one."""
