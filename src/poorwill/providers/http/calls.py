"""What a description says about calls: how one is made, and how its answer is to be read."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from poorwill.config.complaint import wrong
from poorwill.config.jsonpath import Json, parse_path
from poorwill.config.status import StatusRanges
from poorwill.config.template import Words
from poorwill.config.units import Duration
from poorwill.core.model import Condition
from poorwill.providers.http.written import MODEL, PathText, PatternText, TestText, ValueText

METHODS = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Success(BaseModel):
    """When a call counts as accepted. Many clouds report their errors with the HTTP status 200."""

    model_config = MODEL

    status: StatusRanges = Field(default=((200, 299),), description="The HTTP status codes of success.")
    when: tuple[TestText, ...] = Field(
        default=(), description="Tests of the answer that must all hold, such as $.code == 0."
    )


class Answer(BaseModel):
    """How one kind of refusal is recognised: any of these is enough."""

    model_config = MODEL

    status: StatusRanges = Field(default=(), description="HTTP status codes.")
    code: tuple[str, ...] = Field(default=(), description="The cloud's own error codes, as text.")
    text: tuple[PatternText, ...] = Field(
        default=(), description="Regular expressions, looked for in the error's text; case does not matter."
    )

    def fits(self, status: int, code: str, text: str) -> bool:
        """Whether an answer with this status, error code and error text is of this kind."""
        return (
            any(low <= status <= high for low, high in self.status)
            or code in self.code
            or any(pattern.search(text) for pattern in self.text)
        )


class Later(Answer):
    """An answer that means: not now."""

    delay: Duration = Field(
        default=30.0, description="How long to wait when the answer has no Retry-After of its own."
    )


class Call(BaseModel):
    """One HTTP request."""

    model_config = MODEL

    method: METHODS = Field(default="GET", description="The HTTP method. A GET may have a body.")
    url: str = Field(description="The path below the description's url, or a whole https:// address.")
    headers: dict[str, str] = Field(default_factory=dict, description="Headers of this call alone.")
    query: dict[str, str] = Field(default_factory=dict, description="What stands behind the ? of the URL.")
    body: Any = Field(default=None, description="The body, sent as JSON.")
    form: dict[str, str] | None = Field(default=None, description="The body, sent as a form.")
    ok: Success | None = Field(default=None, description="Success of this call, when it differs.")

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.body is not None and self.form is not None:
            raise wrong("body and form cannot both be sent", "keep one of them")
        return self


class Rule(BaseModel):
    """A trap: a state that means something else when these tests hold as well."""

    model_config = MODEL

    when: tuple[TestText, ...] = Field(min_length=1, description="Tests that must all hold.")
    means: Literal["starting", "running", "stopping", "off", "unknown"] = Field(
        description="What the instance is then."
    )
    says: str = Field(default="", description="What people are told about it.")


class States(BaseModel):
    """Which of the cloud's states mean what. One that is not listed is unknown, never off."""

    model_config = MODEL

    at: PathText = Field(description="Where the state stands.")
    starting: tuple[str, ...] = Field(default=(), description="States on the way to running.")
    running: tuple[str, ...] = Field(min_length=1, description="States in which it runs.")
    stopping: tuple[str, ...] = Field(default=(), description="States on the way to off.")
    off: tuple[str, ...] = Field(min_length=1, description="States in which it does not run.")
    rules: tuple[Rule, ...] = Field(default=(), description="Looked at first; the first that holds decides.")

    @field_validator("starting", "running", "stopping", "off", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return [_word(one) for one in value]

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Self:
        seen: set[str] = set()
        for names in (self.starting, self.running, self.stopping, self.off):
            if twice := seen.intersection(names):
                raise wrong(f"the state {min(twice)} is listed twice", "keep one of them")
            seen.update(names)
        return self

    def read(self, record: Json, words: Words) -> tuple[Condition, str, str]:
        """The condition, the cloud's own word for it, and what people are told."""
        name = _word(self.at.of(record, words))
        for rule in self.rules:
            if all(test.holds(record, words) for test in rule.when):
                return _CONDITIONS[rule.means], name, rule.says
        for means in ("starting", "running", "stopping", "off"):
            if name in getattr(self, means):
                return _CONDITIONS[means], name, ""
        return Condition.UNKNOWN, name, "its description does not know this state"


class Reading(Call):
    """A call that only reads."""

    record: PathText = Field(
        default_factory=lambda: parse_path("$"),
        description="The part of the answer that is about the instance; paths of states and values "
        "begin there.",
    )
    state: States | None = Field(default=None, description="States in this answer, when they differ.")
    values: dict[str, ValueText] = Field(
        default_factory=dict,
        description="What addresses may be made of, by name: {host: $.public_ip}. Read anew at every look.",
    )
    life: PathText | None = Field(
        default=None, description="A time or number that changes with every start of the instance."
    )


class Listing(Reading):
    """The call that lists the instances of the account."""

    items: PathText = Field(description="Where the list stands.")
    id: PathText = Field(description="Where an instance's id stands in an item of the list.")


class Login(Call):
    """A call that exchanges the token for one that is valid for some time: ``{login}`` in ``auth``."""

    token: PathText = Field(description="Where the new token stands.")
    lasts: PathText | None = Field(default=None, description="Where the seconds stand for which it is valid.")


class Timer(Call):
    """The cloud's own shutdown timer. Placeholders: {seconds}, {minutes} and {unix}, the second it is due."""

    shortest: Duration = Field(default=60.0, description="The shortest time the cloud accepts.")
    longest: Duration | None = Field(default=None, description="The longest time the cloud accepts.")


TIMER_WORDS = frozenset({"seconds", "minutes", "unix"})

_CONDITIONS = {
    "starting": Condition.STARTING,
    "running": Condition.RUNNING,
    "stopping": Condition.STOPPING,
    "off": Condition.ABSENT,
    "unknown": Condition.UNKNOWN,
}


def _word(found: Json) -> str:
    """A state as text, written as in JSON: some clouds use numbers, and null is a state too."""
    return found if isinstance(found, str) else json.dumps(found)
