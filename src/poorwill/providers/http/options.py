"""What a user may write below ``run: http:``."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_serializer,
    model_validator,
)

from poorwill.config.complaint import Loc, all_of, expected, wrong
from poorwill.config.run import context
from poorwill.config.template import Words
from poorwill.config.units import Duration, at_least, format_duration
from poorwill.errors import ConfigError
from poorwill.providers.http.description import Description
from poorwill.providers.http.library import cloud, load, shipped
from poorwill.providers.instances import INSTANCE

NAME = INSTANCE
"""Stands for Poorwill's own name of an instance, in ``instance:``."""


def _described(value: object, info: ValidationInfo) -> Description:
    if isinstance(value, Description):
        return value
    if isinstance(value, dict):
        return Description.model_validate(value)
    if not isinstance(value, str) or not value.strip():
        raise expected("the file of a description such as ./mycloud.yaml, or its keys")
    try:
        return load(context(info).base / Path(value).expanduser())
    except ConfigError as error:
        first, *others = error.problems
        more = f" (and {len(others)} more)" if others else ""
        raise wrong(f"{first}{more}", first.hint if not str(first).endswith(")") else "") from error


def _plain(description: Description) -> Any:
    """Whole, so that what runs can be stopped even when the file is gone."""
    return description.model_dump(mode="json", by_alias=True, exclude_unset=True)


Described = Annotated[
    Description,
    PlainValidator(_described),
    PlainSerializer(_plain, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]


def _cloud(value: object) -> str:
    if value in shipped():
        return str(value)
    near = difflib.get_close_matches(str(value).lower(), shipped(), n=1)
    hint = f"did you mean {near[0]}?" if near else "`poorwill clouds` lists them; others go below description"
    raise expected("the name of a cloud that Poorwill knows", hint)


CloudName = Annotated[str, PlainValidator(_cloud), WithJsonSchema({"type": "string"})]


class Options(BaseModel):
    """An instance that is rented from a cloud and switched on and off by its REST API."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cloud: CloudName | None = Field(
        default=None, description="A cloud that Poorwill knows; `poorwill clouds` lists them."
    )
    description: Described | None = Field(
        default=None, repr=False, description="Your own description of a cloud: its file, or its keys."
    )
    instance: str = Field(
        min_length=1,
        description="The instance's id at the cloud. {instance} in it stands for Poorwill's name of it, "
        "such as kb-1.",
    )
    token: SecretStr = Field(
        default=SecretStr(""), description="The key to the cloud's API, such as ${AUTODL_TOKEN}."
    )
    options: dict[str, SecretStr] = Field(
        default_factory=dict, description="What this cloud wants to know besides, such as a region."
    )
    url: str | None = Field(default=None, description="Another address of the cloud's API.")
    timer: Annotated[Duration, at_least(60)] | None = Field(
        default=None,
        description="Also set the cloud's own shutdown timer: without Poorwill the instance runs for so long "
        "at most. It is set again at half-time. Not every cloud has one.",
    )
    give_up: Duration | None = Field(
        default=None,
        description="How long to go on asking when the cloud has no GPU free, before the start has failed.",
    )
    allow_destroy: bool = Field(
        default=False, description="Use a cloud whose stop destroys the instance with its data."
    )

    @field_serializer("token", "options", when_used="json")
    def _as_it_is(self, value: Any) -> Any:
        """Kept in the state folder with mode 0600, so that what runs can be stopped later."""
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return {key: secret.get_secret_value() for key, secret in value.items()}

    @property
    def owns(self) -> str:
        where = self.cloud or self.url or self.described.name
        return "" if NAME in self.instance else f"the instance {self.instance} at {where}"

    @property
    def several(self) -> str:
        """Why there cannot be several instances; empty when each is called after Poorwill's name for it."""
        if NAME in self.instance:
            return ""
        return (
            f"{self.instance} is one rented instance, and a service cannot have several of them yet, except "
            'where their ids at the cloud are of your choice: instance: "{instance}"'
        )

    @property
    def described(self) -> Description:
        """The cloud."""
        if self.description is not None:
            return self.description
        return cloud(self.cloud or "")

    @property
    def offers(self) -> frozenset[str]:
        """The names in braces that ``address`` may use."""
        return frozenset(self.described.offers)

    @property
    def words(self) -> Words:
        """What the placeholders of its calls mean, the instance's id apart."""
        words: dict[str, str | None] = {"token": self.token.get_secret_value()}
        for name, spec in self.described.options.items():
            said = self.options.get(name)
            words[name] = said.get_secret_value() if said is not None else spec.default
        return words

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        hidden = [name for name, spec in self.described.options.items() if spec.secret]
        found = [self.token.get_secret_value(), *(self.words[name] or "" for name in hidden)]
        return tuple(secret for secret in found if secret)

    @model_validator(mode="after")
    def _one_description(self) -> Self:
        if (self.cloud is None) == (self.description is None):
            error = wrong(
                "say which cloud: cloud: NAME, or a description of your own, not both",
                "`poorwill clouds` lists what Poorwill knows",
            )
            raise all_of([((), error, None)])
        return self

    @model_validator(mode="after")
    def _fits_the_cloud(self) -> Self:
        if (self.cloud is None) == (self.description is None):
            return self
        found = [*self._refused(), *self._unsaid(), *self._unheard()]
        if found:
            raise all_of([(loc, error, None) for loc, error in found])
        return self

    def _refused(self) -> list[tuple[Loc, Any]]:
        """What this cloud cannot do."""
        about, at = self.described, "cloud" if self.cloud else "description"
        found: list[tuple[Loc, Any]] = []
        if about.off.saves == "destroys" and not self.allow_destroy:
            hint = about.off.note or "allow_destroy: true if nothing on it is worth keeping"
            found.append(((at,), wrong(f"a stop at {about.name} destroys the instance", hint)))
        elif about.start is None:
            found.append(
                ((at,), wrong(f"{about.name} cannot start an instance that was stopped", about.off.note))
            )
        if NAME in self.instance and about.listing is None:
            hint = "write the id of one instance"
            found.append((("instance",), wrong(f"{about.name}'s instances cannot be listed", hint)))
        if self.timer is not None and about.timer is None:
            hint = "leave timer out; `poorwill clouds` says which have one"
            found.append((("timer",), wrong(f"{about.name} has no shutdown timer that can be set", hint)))
        elif self.timer is not None and about.timer is not None:
            longest = about.timer.longest or self.timer
            if not about.timer.shortest <= self.timer <= longest:
                limits = f"from {format_duration(about.timer.shortest)} to {format_duration(longest)}"
                found.append((("timer",), wrong(f"{about.name} takes a timer {limits}")))
        return found

    def _unsaid(self) -> list[tuple[Loc, Any]]:
        """What is missing."""
        about = self.described
        found: list[tuple[Loc, Any]] = []
        if about.wants_token and not self.token.get_secret_value().strip():
            found.append((("token",), wrong(f"{about.name} wants a token", about.token_help)))
        for name, spec in about.options.items():
            if spec.default is None and not spec.optional and name not in self.options:
                hint = f"{about.name} wants it: {spec.description}"
                found.append((("options",), wrong(f"{name} is missing", hint)))
        return found

    def _unheard(self) -> list[tuple[Loc, Any]]:
        """What this cloud does not ask for."""
        about = self.described
        found: list[tuple[Loc, Any]] = []
        for name in self.options:
            if name not in about.options:
                near = difflib.get_close_matches(name, about.options, n=1)
                known = ", ".join(about.options) or "none"
                hint = f"did you mean {near[0]}?" if near else f"the options of {about.name}: {known}"
                found.append((("options", name), wrong("unknown option", hint)))
        return found
