"""Where a service answers: fixed, or with places for what is only known once an instance runs.

127.0.0.1:9100              plain HTTP
https://gpu.example.com     over TLS, port 443
{host}:7860                 {host} is what the place says after each start; so are other names in braces
tunnel:7860                 that port of the machine the service lives on, through SSH
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.names import HostName
from poorwill.config.run import context
from poorwill.config.units import HostPort, ip_text, parse_host_port
from poorwill.core.target import Tls
from poorwill.errors import BadInput

WHAT = "an address such as 127.0.0.1:9100, https://gpu.example.com or tunnel:7860"
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


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


@dataclass(frozen=True, slots=True)
class Url:
    """An address as written: ``rest`` is host and port and may hold placeholders."""

    scheme: str
    rest: str
    tunnel: bool = False
    bare: bool = True
    """Whether the scheme was left out."""

    def __str__(self) -> str:
        if self.tunnel:
            return f"tunnel:{self.rest}"
        return self.rest if self.bare else f"{self.scheme}://{self.rest}"

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(_PLACEHOLDER.findall(self.rest))

    def place(self) -> HostPort:
        """Raises PydanticCustomError when ``rest``, without placeholders, is no host and port."""
        return parse_host_port(_with_port(self.rest, self), WHAT, "127.0.0.1:9100")


def parse_url(value: object) -> Url:
    if isinstance(value, Url):
        return value
    if not isinstance(value, str):
        parse_host_port(value, WHAT, "127.0.0.1:9100")
        raise expected(WHAT)
    if "{port}" in value:
        raise expected(WHAT, "leave address out: with {port} in the command Poorwill chooses the port")
    url = _split(value.strip())
    if re.search(r"[/?#@]", url.rest):
        raise expected(WHAT, "host and port only: a path, a user or a password has no place here")
    # What fills a placeholder is not known yet: the text around it must already make sense.
    trial = re.sub(r":\{\w+\}$", ":1", url.rest)
    host = _PLACEHOLDER.sub("x", trial)
    if re.search(r"[{}]", host):
        raise expected(WHAT, "names in braces are letters, digits and _: {host}, {port_8000}")
    if url.bare and url.placeholders and ":" not in host:
        raise expected(WHAT, f"add the port, or the scheme: {url.rest}:7860 or https://{url.rest}")
    parse_host_port(_with_port(host, url), WHAT, "127.0.0.1:9100")
    return url


def _split(text: str) -> Url:
    if match := re.match(r"tunnel:(//)?", text, re.IGNORECASE):
        rest = text[match.end() :].removesuffix("/")
        port_only = re.fullmatch(r":?(\d+|\{\w+\})", rest)
        return Url("http", f"127.0.0.1:{port_only[1]}" if port_only else rest, tunnel=True)
    if match := _SCHEME.match(text):
        scheme = match["scheme"].lower()
        if scheme not in _DEFAULT_PORTS:
            raise expected(WHAT, "Poorwill speaks HTTP and HTTPS to a service")
        return Url(scheme, text[match.end() :].removesuffix("/"), bare=False)
    return Url("http", text)


def _with_port(rest: str, url: Url) -> str:
    """With the port that a scheme implies. ``http://name`` gets none: it is mostly forgotten there."""
    implied = url.scheme == "https" or (not url.bare and bool(url.placeholders))
    if not implied or re.search(r":\d+$", rest.rpartition("]")[2]):
        return rest
    return f"{rest}:{_DEFAULT_PORTS[url.scheme]}"


def _trusted(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value).strip():
        raise expected("a file with certificates, such as ./ca.pem")
    path = context(info).base / Path(value).expanduser()
    if not path.is_file():
        raise expected("a file with certificates, such as ./ca.pem", "there is no such file")
    try:
        ssl.create_default_context(cafile=str(path))
    except (ssl.SSLError, OSError) as error:
        raise expected("a file with certificates in PEM form", str(error)) from None
    return path


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
    ca: (
        Annotated[
            Path,
            PlainValidator(_trusted),
            PlainSerializer(str, when_used="json"),
            WithJsonSchema({"type": "string"}),
        ]
        | None
    ) = Field(
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
        missing = sorted(self.placeholders - values.keys())
        if missing:
            known = ", ".join(sorted(values)) or "nothing"
            raise BadInput(
                f"the address {self.url} needs {{{missing[0]}}}, and the place where it runs does not say it",
                hint=f"it says: {known}",
            )
        rest = _PLACEHOLDER.sub(lambda found: self._value(found[1], values), self.url.rest)
        try:
            place = parse_host_port(_with_port(rest, self.url), WHAT, "127.0.0.1:9100")
        except ValueError:
            raise BadInput(f"the address {self.url} became {rest!r}, which is no host and port") from None
        name = self.host or ("" if self.url.scheme == "http" or ip_text(place.host) else place.host)
        if self.url.scheme == "https" and self.verify and not name:
            raise BadInput(
                f"the certificate of {place.host} cannot be checked without a name", hint=_NAMELESS
            )
        return Endpoint(self.url.scheme, place.host, place.port, name, self.url.tunnel)

    def _value(self, key: str, values: Mapping[str, str]) -> str:
        """Clouds like to say ``https://name/`` where a name is meant."""
        value = str(values[key]).strip()
        if match := _SCHEME.match(value):
            if match["scheme"].lower() != self.url.scheme:
                raise BadInput(
                    f"the place where it runs says {key} is {value}, and the address is {self.url}",
                    hint=f"write {match['scheme'].lower()}://{{{key}}}",
                )
            value = value[match.end() :]
        value = value.partition("/")[0]
        return f"[{value}]" if ip_text(value) and ":" in value else value


_NAMELESS = "write host: the name in its certificate, or verify: false"


def system_ca() -> str:
    """This machine's file of trusted certificates. Raises BadInput when there is none."""
    known = [ssl.get_default_verify_paths().cafile, *_CA_FILES]
    for path in known:
        if path and Path(path).is_file():
            return path
    raise BadInput(
        "this machine has no file with the certificates of public authorities",
        hint="install the package ca-certificates, or name a file in SSL_CERT_FILE",
    )


_CA_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS
)


def _long_form(value: Any) -> Any:
    return value if isinstance(value, Mapping | ServiceAddress) else {"url": parse_url(value)}


Address = Annotated[
    ServiceAddress,
    BeforeValidator(_long_form, json_schema_input_type=str | ServiceAddress),
    PlainSerializer(lambda address: address.model_dump(mode="json", exclude_defaults=True), when_used="json"),
]
