"""Reads an upload from a request and says no, in words, to everything that is not a text of decent size."""

from __future__ import annotations

import email.message
import json
import re
import time
import unicodedata
from dataclasses import dataclass

from starlette.requests import Request

from poorwill.demo.index import SUFFIXES

LIMIT = 20 * 1024 * 1024
_WRAPPING = 64 * 1024  # what multipart headers or JSON quoting may add
_NAME_BYTES = 200
_QUESTION_LENGTH = 2_000
_EXAMPLE = 'for example {"name": "a.txt", "text": "…"}'
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


class Refused(Exception):
    """The request cannot be used. ``code`` is for programs and translations; the message is for people."""

    def __init__(self, code: str, message: str, *, status: int = 400, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    text: str


async def read_upload(request: Request) -> Upload:
    """The one text in a multipart form (``file``, or ``text`` with ``name``) or in JSON. Raises Refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("multipart/form-data", "application/json"):
        raise Refused("wrong_type", "send a form with a file, or JSON", status=415, hint=_EXAMPLE)
    body = await _body(request, LIMIT + _WRAPPING)
    if kind == "application/json":
        given = _object(body)
        return _upload(given.get("name"), given.get("text"))
    fields = _form(body, request.headers["content-type"])
    if "file" in fields:
        filename, content = fields["file"]
        return _upload(filename or "", _decoded(content))
    if "text" in fields:
        name = _decoded(fields["name"][1]) if "name" in fields else None
        return _upload(name, _decoded(fields["text"][1]))
    raise Refused("no_file", "the form holds neither a 'file' nor a 'text'")


async def read_question(request: Request) -> str:
    """The ``question`` of a JSON body. Raises Refused."""
    question = _object(await _body(request, _WRAPPING)).get("question")
    if not isinstance(question, str):
        raise Refused("empty_question", "there is no question", hint='send {"question": "…"}')
    question = _encodable(question).strip()
    if not question:
        raise Refused("empty_question", "the question is empty")
    if len(question) > _QUESTION_LENGTH:
        raise Refused("question_too_long", f"a question has at most {_QUESTION_LENGTH} characters")
    return question


async def _body(request: Request, limit: int) -> bytes:
    """The whole body.

    One that is too big is read to its end and dropped: a client that is still sending would see a broken
    connection instead of the answer.
    """
    held = bytearray()
    too_big = False
    async for chunk in request.stream():
        too_big = too_big or len(held) + len(chunk) > limit
        if too_big:
            held.clear()
        else:
            held += chunk
    if too_big:
        raise _too_big()
    return bytes(held)


def _too_big() -> Refused:
    return Refused("too_big", f"a text may have at most {LIMIT >> 20} MB", status=413, hint="split it")


def _object(body: bytes) -> dict[str, object]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused("not_json", "the body is not JSON in UTF-8") from error
    if not isinstance(given, dict):
        raise Refused("not_json", "the body is not a JSON object")
    return given


def _form(body: bytes, content_type: str) -> dict[str, tuple[str | None, bytes]]:
    """Field name → (file name or None, content). The last of several fields of one name wins."""
    header = email.message.Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    mark = b"\r\n--" + (boundary or "").encode("latin-1", "replace")
    parts = (b"\r\n" + body).split(mark)
    if not boundary or len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise Refused("broken_form", "the form is incomplete")
    fields: dict[str, tuple[str | None, bytes]] = {}
    for part in parts[1:-1]:
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator:
            raise Refused("broken_form", "a part of the form has no content")
        name, filename = _disposition(head.decode("utf-8", "replace"))
        fields[name] = (filename, content)
    return fields


def _disposition(head: str) -> tuple[str, str | None]:
    """The field's and the file's name in a part's header, however the client quotes them."""
    header = email.message.Message()
    for line in head.split("\r\n"):
        if line.lower().startswith("content-disposition:"):
            header["content-disposition"] = line.partition(":")[2].strip()
    name = header.get_param("name", "", "content-disposition")
    filename = header.get_filename()
    # Browsers write these three as %22, %0D and %0A, and nothing else in that way.
    return str(name), filename and filename.replace("%22", '"').replace("%0D", "").replace("%0A", "")


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(
            "not_utf8", f"not UTF-8: byte {error.start + 1} fits no character", hint="save it as UTF-8"
        ) from error


def _encodable(text: str) -> str:
    """JSON can carry half a surrogate pair, which is no character and cannot be stored."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused("not_utf8", "the text holds half a character (a lone surrogate)") from error
    return text


def _upload(name: object, text: object) -> Upload:
    if not isinstance(text, str):
        raise Refused("empty_text", "there is no text", hint=_EXAMPLE)
    if name is not None and not isinstance(name, str):
        raise Refused("bad_name", "the name is not a string")
    text = _encodable(text).removeprefix("\ufeff")
    if not text.replace("\ufeff", "").strip():
        raise Refused("empty_text", "the text is empty")
    if "\x00" in text:
        raise Refused("not_text", "this looks like a program's file, not a text", hint="send .txt or .md")
    if len(text.encode("utf-8")) > LIMIT:
        raise _too_big()
    return Upload(_file_name(_encodable(name or ""), text), text)


def _file_name(name: str, text: str) -> str:
    """A plain file name with a known ending; without one given, the beginning of the text's first line."""
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    base = _UNSAFE.sub(" ", base).strip(" .")
    if not base:
        first = unicodedata.normalize("NFC", text.strip().splitlines()[0])
        words = " ".join(_UNSAFE.sub(" ", first.lstrip("#")).split())
        base = words[:40].strip(" .") or time.strftime("note %Y-%m-%d %H.%M.%S")
        return f"{base}.txt"
    _, dot, ending = base.rpartition(".")
    if not dot or " " in ending or len(ending) > 8:
        base = f"{base}.txt"
    elif f".{ending.lower()}" not in SUFFIXES:
        raise Refused(
            "wrong_type", f"'.{ending}' is not a kind of text known here", status=415, hint="send .txt or .md"
        )
    if len(base.encode("utf-8")) > _NAME_BYTES:
        raise Refused("bad_name", f"the name is longer than {_NAME_BYTES} bytes")
    return base
