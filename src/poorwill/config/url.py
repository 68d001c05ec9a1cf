"""Where a service answers, as written: fixed, or with places for what is only known once an instance runs.

127.0.0.1:9100              plain HTTP
https://gpu.example.com     over TLS, port 443
{host}:7860                 {host} is what the place says after each start; so are other names in braces
tunnel:7860                 that port of the machine the service lives on, through SSH
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from poorwill.config.complaint import expected
from poorwill.config.units import HostPort, ip_text, parse_host_port
from poorwill.errors import BadInput

WHAT = "an address such as 127.0.0.1:9100, https://gpu.example.com or tunnel:7860"
_EXAMPLE = "127.0.0.1:9100"
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


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
        """Where it is fixed. Raises PydanticCustomError when it is no host and port."""
        return parse_host_port(_with_port(self.rest, self), WHAT, _EXAMPLE)

    def fill(self, values: Mapping[str, str]) -> HostPort:
        """Host and port of a running instance. Raises BadInput when that cannot be, with what is missing."""
        missing = sorted(self.placeholders - values.keys())
        if missing:
            known = ", ".join(sorted(values)) or "nothing"
            raise BadInput(
                f"the address {self} needs {{{missing[0]}}}, and the place where it runs does not say it",
                hint=f"it says: {known}",
            )
        rest = _PLACEHOLDER.sub(lambda found: self._value(found[1], values), self.rest)
        try:
            return parse_host_port(_with_port(rest, self), WHAT, _EXAMPLE)
        except ValueError:
            raise BadInput(f"the address {self} became {rest!r}, which is no host and port") from None

    def _value(self, key: str, values: Mapping[str, str]) -> str:
        """Clouds like to say ``https://name/`` where a name is meant."""
        value = str(values[key]).strip()
        if match := _SCHEME.match(value):
            scheme = match["scheme"].lower()
            if scheme != self.scheme:
                raise BadInput(
                    f"the place where it runs says {key} is {value}, and the address is {self}",
                    hint=f"write {scheme}://{{{key}}}",
                )
            value = value[match.end() :]
        value = value.partition("/")[0]
        return f"[{value}]" if ip_text(value) and ":" in value else value


def parse_url(value: object) -> Url:
    if isinstance(value, Url):
        return value
    if not isinstance(value, str):
        parse_host_port(value, WHAT, _EXAMPLE)
        raise expected(WHAT)
    if "{port}" in value:
        raise expected(WHAT, "leave address out: with {port} in the command Poorwill chooses the port")
    url = _split(value.strip())
    if re.search(r"[/?#@]", url.rest):
        raise expected(WHAT, "host and port only: a path, a user or a password has no place here")
    # What fills a placeholder is not known yet: the text around it must already make sense.
    trial = re.sub(r":(\d*)\{\w+\}$", r":\g<1>1", url.rest)
    host = _PLACEHOLDER.sub("x", trial)
    if re.search(r"[{}]", host):
        raise expected(WHAT, "names in braces are letters, digits and _: {host}, {port_8000}")
    if url.bare and url.placeholders and ":" not in host:
        raise expected(WHAT, f"add the port, or the scheme: {url.rest}:7860 or https://{url.rest}")
    parse_host_port(_with_port(host, url), WHAT, _EXAMPLE)
    return url


def _split(text: str) -> Url:
    if match := re.match(r"tunnel:(//)?", text, re.IGNORECASE):
        rest = text[match.end() :].removesuffix("/")
        port_only = re.fullmatch(r":?(\d+|\d*\{\w+\})", rest)
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
