"""A cloud, described: what the file of one may say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, field_validator, model_validator

from poorwill.config.complaint import Loc, all_of, wrong
from poorwill.config.template import placeholders, texts
from poorwill.config.units import Duration, at_least
from poorwill.providers.http.calls import (
    TIMER_WORDS,
    Answer,
    Call,
    Later,
    Listing,
    Login,
    Reading,
    States,
    Success,
    Timer,
)
from poorwill.providers.http.written import MODEL, PathText, Value


class OptionSpec(BaseModel):
    """Something the user says once in poorwill.yaml, and calls use as a placeholder."""

    model_config = MODEL

    description: str = Field(description="What it is, for people.")
    default: str | None = Field(default=None, description="Its value when nothing is said.")
    optional: bool = Field(
        default=False, description="It may be left unset; what uses it is then left out of the call."
    )
    secret: bool = Field(default=False, description="Never shown.")


class Auth(BaseModel):
    """What every call carries so that the cloud knows who asks."""

    model_config = MODEL

    headers: dict[str, str] = Field(default_factory=dict, description="Headers of every call.")
    query: dict[str, str] = Field(default_factory=dict, description="Query of every call.")
    form: dict[str, str] = Field(default_factory=dict, description="Added to every form.")
    signature: Literal["ucloud"] | None = Field(
        default=None, description="A scheme by which forms are signed with the token."
    )


class Patience(Later):
    """The answers that mean that nothing is free, such as no GPU in stock."""

    delay: Duration = Field(default=60.0, description="How often to ask again.")
    give_up: Duration | None = Field(
        default=None, description="How long to go on asking before it counts as a failure. Default: for ever."
    )


class Off(BaseModel):
    """What a stopped instance still costs, and how long it is kept."""

    model_config = MODEL

    saves: Literal["compute", "nothing", "destroys"] = Field(
        description="What a stop saves: the computer, nothing at all, or it destroys the instance."
    )
    billed: str = Field(default="", description="What is still billed while it is off.")
    deleted_after: Duration | None = Field(
        default=None, description="After how long off the cloud deletes the instance with its data."
    )
    note: str = Field(default="", description="What else to know about a stop.")


class Description(BaseModel):
    """One cloud's REST API, as far as Poorwill needs it."""

    model_config = MODEL

    name: str = Field(description="The cloud's name, as people know it.")
    about: str = Field(default="", description="What to know before using it.")
    url: str = Field(description="Where the API is; paths of calls are added to it.")
    plain_http: bool = Field(default=False, description="Allow http:// to another machine, unencrypted.")
    auth: Auth = Field(default_factory=Auth, repr=False, description="Who asks.")
    login: Login | None = Field(
        default=None, repr=False, description="How the token becomes one that is valid for some time."
    )
    token_help: str = Field(default="", description="Where people get a token.")
    options: dict[str, OptionSpec] = Field(default_factory=dict, description="What users may say as well.")
    ok: Success = Field(default_factory=Success, description="When a call counts as accepted.")
    code: PathText | None = Field(default=None, description="Where the cloud's own error code stands.")
    error: tuple[PathText, ...] = Field(default=(), description="Where an error's text may stand.")
    no_capacity: Patience = Field(default_factory=Patience, description="Nothing is free.")
    later: Later = Field(
        default_factory=lambda: Later.model_validate({"status": 429}),
        description="Too many questions, or busy.",
    )
    denied: Answer = Field(
        default_factory=lambda: Answer.model_validate({"status": [401, 403]}),
        description="The token is not valid.",
    )
    missing: Answer = Field(
        default_factory=lambda: Answer.model_validate({"status": 404}),
        description="There is no such instance.",
    )
    state: States = Field(description="Which states mean what.")
    status: Reading = Field(description="The call that reads one instance.")
    details: Reading | None = Field(
        default=None, description="A second call with more values, made while the instance runs."
    )
    listing: Listing | None = Field(default=None, alias="list", description="The call that lists instances.")
    start: Call | None = Field(default=None, description="The call that starts a stopped instance.")
    stop: Call = Field(description="The call that stops it.")
    timer: Timer | None = Field(default=None, description="The cloud's own shutdown timer.")
    off: Off = Field(description="What being off means.")
    billing: str = Field(default="", description="How running time is billed: the unit and the minimum.")
    settle: Duration = Field(
        default=30.0, description="How long the cloud's status may lag behind an accepted call."
    )
    stale_after: Duration = Field(default=60.0, description="How long a status says anything.")
    poll: Duration = Field(default=15.0, description="How often to look while nothing changes.")
    hurry: Annotated[Duration, at_least(0.01)] = Field(
        default=2.0, description="How often to look while an instance starts or stops."
    )
    timeout: Duration = Field(default=30.0, description="How long one call may take.")
    tried: str = Field(default="", description="When and how this was tried against the real cloud.")
    unsure: tuple[str, ...] = Field(default=(), description="What could not be verified.")
    sources: tuple[str, ...] = Field(default=(), description="Where the facts were read.")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise wrong("this is no address", "write https:// and the name of the API's host")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _nothing_unprotected(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme == "http" and not self.plain_http and not is_loopback(parts.hostname or ""):
            error = wrong(
                "the token would travel unprotected", "write https://, or plain_http: true if it must be"
            )
            raise all_of([(("url",), error, self.url)])
        return self

    @model_validator(mode="after")
    def _every_placeholder_is_known(self) -> Self:
        found = []
        known = {"instance", "token", *self.options}
        for loc, text in self._texts():
            allowed = known | (TIMER_WORDS if loc[0] == "timer" else set())
            allowed |= {"login"} if self.login is not None and loc[0] != "login" else set()
            for name in sorted(placeholders(text) - allowed):
                hint = f"the placeholders here are {', '.join(sorted(allowed))}; others go below options"
                found.append((loc, wrong(f"{{{name}}} means nothing here", hint), text))
        for name in self.options:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in {"instance", "token", "login"}:
                error = wrong("this cannot be the name of an option", "use a-z, 0-9 and _")
                found.append((("options", name), error, name))
        if found:
            raise all_of(found)
        return self

    @property
    def calls(self) -> dict[str, Call]:
        """The calls it has, by name."""
        named = {
            "login": self.login,
            "status": self.status,
            "details": self.details,
            "list": self.listing,
            "start": self.start,
            "stop": self.stop,
            "timer": self.timer,
        }
        return {name: call for name, call in named.items() if call is not None}

    @property
    def offers(self) -> dict[str, Value]:
        """What an address may be made of, by name."""
        readings = (self.details, self.status)
        return {name: value for one in readings if one is not None for name, value in one.values.items()}

    @property
    def wants_token(self) -> bool:
        """Whether a call carries it."""
        used = any("token" in placeholders(text) for _, text in self._texts())
        return used or self.auth.signature is not None

    def _texts(self) -> Iterator[tuple[Loc, str]]:
        parts = {**self.calls, "auth": self.auth}
        for name, part in parts.items():
            for key in ("url", "headers", "query", "body", "form"):
                for loc, text in texts(getattr(part, key, None)):
                    yield (name, key, *loc), text
            if isinstance(part, Reading):
                for key, value in part.values.items():
                    yield (name, "values", key), value.path.text if value.path else value.made


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
