"""Who may come in to a service: passwords and keys. They never stand in poorwill.yaml themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.complaint import Loc, all_of, expected, wrong
from poorwill.config.document import Document
from poorwill.config.names import RequestPath
from poorwill.config.run import context
from poorwill.config.syntax import Trouble
from poorwill.core.credential import LONGEST, SHORTEST_KEY, SHORTEST_PASSWORD, written_key, written_user

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_DIGEST = "sha256:"
_FILE_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Secret:
    """A password or key, as it is or as the digest that somebody wrote down."""

    text: str = field(repr=False)


def _secret(what: str, shortest: int, written: Callable[[str], object]) -> PlainValidator:
    def read(value: object, info: ValidationInfo) -> Secret:
        if isinstance(value, Secret):
            return value
        if isinstance(value, Mapping):
            value = _from_file(value, context(info).base)
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise wrong(f"this is no {what}", f"write ${{VARIABLE}}, or {{file: ./{what}.txt}}")
        text = str(value)
        if text.startswith(_DIGEST) and written(text) is None:
            raise wrong("this digest is not whole", "copy the whole line that `poorwill password` prints")
        if not written(text) and not shortest <= len(text) <= LONGEST:
            size = "short" if len(text) < shortest else "long"
            hint = f"{shortest} to {LONGEST} characters; `poorwill password` makes a good one"
            raise wrong(f"this {what} is too {size}", hint)
        if not text.isprintable():
            raise wrong(f"this {what} is not one line of text", f"`poorwill password` makes a good {what}")
        return Secret(text)

    return PlainValidator(read)


def _from_file(value: Mapping[Any, Any], base: Path) -> str:
    """The first line of the file; whatever made the file may have ended the line."""
    if list(value) != ["file"] or not isinstance(value["file"], str) or not value["file"].strip():
        raise wrong("expected the name of a file", "write {file: ./secret.txt}")
    path = base / Path(value["file"]).expanduser()
    try:
        if path.stat().st_size > _FILE_LIMIT:
            raise wrong(f"{path} is too large for a secret", "the file holds it and nothing else")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise wrong(f"{path} cannot be read: {error.strerror}", "check its name and its mode") from error
    except UnicodeDecodeError as error:
        raise wrong(f"{path} is not text", "the file holds the secret and nothing else") from error


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise expected("a name of letters, digits and . _ @ + -, such as ann")
    return value


def _open_path(value: str) -> str:
    if "?" in value or "*" in value.removesuffix("/*"):
        raise expected("a path such as /healthz, or /static/* for everything below it")
    return value


_AS_SCHEMA = WithJsonSchema({"type": ["string", "object"]})
_HIDDEN = PlainSerializer(lambda _: "***", return_type=str)
_Name = Annotated[str, AfterValidator(_name)]
_Password = Annotated[Secret, _secret("password", SHORTEST_PASSWORD, written_user), _HIDDEN, _AS_SCHEMA]
_Key = Annotated[Secret, _secret("key", SHORTEST_KEY, written_key), _HIDDEN, _AS_SCHEMA]


class Auth(BaseModel):
    """Who may come in. Everybody else is turned away, and neither wakes the service nor keeps it awake."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    users: dict[_Name, _Password] = Field(
        default_factory=dict,
        description="People by name, each with a password that a browser asks for: ${VARIABLE}, "
        "{file: PATH}, or what `poorwill password` prints.",
    )
    keys: dict[_Name, _Key] = Field(
        default_factory=dict,
        description="Programs by name, each with a key that it sends as Authorization: Bearer KEY or as "
        "X-API-Key: KEY. Written like passwords.",
    )
    open: tuple[Annotated[RequestPath, AfterValidator(_open_path)], ...] = Field(
        default=(),
        description="Paths that everybody may use: /exact, or /prefix/* for everything below.",
    )
    forward: bool = Field(
        default=False,
        description="Let the service see the password or key as well. It always sees the name, in the header "
        "X-Forwarded-User.",
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.users and not self.keys:
            about = (("users",), ("keys",))
            error = wrong("nobody could come in", "add users or keys, or leave auth out", about=about)
            raise all_of([((), error, None)])
        return self


def written_out(document: Document) -> Iterator[tuple[Loc, Trouble]]:
    """Passwords and keys that stand in the file as they are: files are copied, mailed and committed."""
    services = document.value.get("services")
    for service, settings in services.items() if isinstance(services, dict) else ():
        auth = settings.get("auth") if isinstance(settings, dict) else None
        for kind in ("users", "keys"):
            named = auth.get(kind) if isinstance(auth, dict) else None
            for name, value in named.items() if isinstance(named, dict) else ():
                loc = ("services", service, "auth", kind, name)
                bare = isinstance(value, str | int | float) and not isinstance(value, bool)
                digest = str(value).startswith(_DIGEST)
                if not bare or digest or loc in document.from_environment | document.doubtful:
                    continue
                place = document.values[loc]
                variable = re.sub(r"\W", "_", name).upper()
                what = "a password" if kind == "users" else "a key"
                hint = f"write ${{{variable}}} and set that variable, or use `poorwill password {name}`"
                yield loc, Trouble(place.line, place.column, f"{what} must not stand in this file", hint)
