"""The address of a service: short as a text, long with how it wants to be spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.certificates import CertificateFile, system_ca
from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.names import HostName
from poorwill.config.units import HostPort, ip_text
from poorwill.config.url import WHAT, Url, parse_url
from poorwill.core.target import Tls
from poorwill.errors import BadInput


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address with nothing left to fill in. ``name`` is what the service wants to be called, empty when it
    does not mind. ``tunnel``: host and port are as the machine at the other end of a tunnel sees them.
    """

    scheme: str
    host: str
    port: int
    name: str = ""
    tunnel: bool = False


def _one_name(host: str) -> str:
    if "*" in host:
        raise expected("one host name such as notes.example.com")
    return host


class ServiceAddress(BaseModel):
    """The long form of an address, for services that are called by a name of their own or speak TLS."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[
        Url,
        PlainValidator(parse_url),
        PlainSerializer(str, return_type=str, when_used="json"),
        WithJsonSchema({"type": "string", "examples": ["127.0.0.1:9100", "https://gpu.example.com"]}),
    ] = Field(
        description="Where the service answers: host:port, http://host:port, https://host or tunnel:port."
    )
    host: Annotated[HostName, AfterValidator(_one_name)] | None = Field(
        default=None,
        description="The name the service is called by, in the Host header and the TLS handshake. Default: "
        "the host of an https address; for plain HTTP what the visitor wrote.",
    )
    verify: bool = Field(
        default=True,
        description="Whether the certificate of an https service must be valid. false takes any certificate.",
    )
    ca: CertificateFile | None = Field(
        default=None,
        description="File with the certificates of your own authority, in PEM form. Default: this machine's.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.url.scheme != "https":
            given = [key for key in ("verify", "ca") if key in self.model_fields_set]
            if given:
                error = wrong(f"{given[0]} is for https addresses", "write https:// in front of the url")
                raise all_of([((given[0],), error, None)])
        elif not self.verify and self.ca is not None:
            error = wrong("ca has no use beside verify: false", "leave one of them out")
            raise all_of([(("ca",), error, None)])
        elif self.verify and self.fixed is not None and self.host is None and ip_text(self.fixed.host):
            raise wrong(f"the certificate of {self.fixed.host} cannot be checked without a name", _NAMELESS)
        return self

    @property
    def fixed(self) -> HostPort | None:
        """Host and port on this network, where they are known beforehand."""
        return None if self.placeholders or self.url.tunnel else self.url.place()

    @property
    def placeholders(self) -> frozenset[str]:
        """What has to be known of a running instance: ``host`` for ``{host}``."""
        return self.url.placeholders

    @property
    def tls(self) -> Tls | None:
        """How it is spoken to over TLS; None for plain HTTP."""
        if self.url.scheme != "https":
            return None
        return Tls(str(self.ca or system_ca()) if self.verify else "")

    def fill(self, values: Mapping[str, str]) -> Endpoint:
        """The address of one running instance. Raises BadInput when that cannot be, with what is missing."""
        place, https = self.url.fill(values), self.url.scheme == "https"
        name = self.host or (place.host if https and not ip_text(place.host) else "")
        if https and self.verify and not name:
            raise BadInput(
                f"the certificate of {place.host} cannot be checked without a name", hint=_NAMELESS
            )
        return Endpoint(self.url.scheme, place.host, place.port, name, self.url.tunnel)


_NAMELESS = "write host: the name in its certificate, or verify: false"


def _long_form(value: Any) -> Any:
    if isinstance(value, Mapping) and [*value.values()] == [None]:  # YAML reads a bare {host} as a key
        raise expected(WHAT, f'put it in quotes, with its port: "{{{next(iter(value))}}}:7860"')
    return value if isinstance(value, Mapping | ServiceAddress) else {"url": parse_url(value)}


Address = Annotated[
    ServiceAddress,
    BeforeValidator(_long_form, json_schema_input_type=str | ServiceAddress),
    PlainSerializer(lambda address: address.model_dump(mode="json", exclude_defaults=True), when_used="json"),
]
