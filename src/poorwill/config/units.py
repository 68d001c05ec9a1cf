"""Durations and places to listen on as people write them in poorwill.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, PlainValidator, WithJsonSchema

from poorwill.config.complaint import expected
from poorwill.core.duration import duration_text

_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = r"(?:\d+(?:\.\d+)?d)? ?(?:\d+(?:\.\d+)?h)? ?(?:\d+(?:\.\d+)?m)? ?(?:\d+(?:\.\d+)?s)? ?(?:\d+ms)?"
_LONGEST = 3650 * _SECONDS["d"]

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]+):(?P<port>\d{1,6})", re.ASCII)


def parse_duration(value: object) -> float:
    """Seconds, exact to the millisecond, of ``90s``, ``10m``, ``1h30m``, ``1.5h``, ``500ms`` or ``1d``."""
    a_duration = "a duration such as 90s or 10m"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise expected(a_duration)
    text = str(value).strip()
    if re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII):
        raise expected("a duration with its unit", "write 90s or 10m")
    if not text or not re.fullmatch(_DURATION, text, re.ASCII):
        raise expected(a_duration, "the units are ms, s, m, h and d, the largest first: 1h30m")
    parts = re.findall(r"([\d.]+)(ms|[dhms])", text)
    seconds = round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 3)
    if seconds > _LONGEST:
        raise expected("a duration of at most 3650d")
    return seconds


def format_duration(seconds: float) -> str:
    """A duration for people, in at most two units: ``22.9s``, ``90s``, ``10m``, ``1h 30m``, ``2d 4h``."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if 0 < round(seconds, 3) < 1:
        return f"{max(1, round(seconds * 1000))}ms"
    tenths = round(seconds, 1)
    if tenths < 120 and tenths != 60:
        return f"{tenths:g}s"
    step = 1 if seconds < 3_599.5 else 60 if seconds < 86_370 else 3_600
    left = round(seconds / step) * step
    words = []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, int(_SECONDS[unit]))
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words[:2])


def at_least(seconds: float) -> AfterValidator:
    """A lower bound for a Duration."""

    def check(value: float) -> float:
        if value < seconds:
            raise expected(f"a duration of at least {format_duration(seconds)}")
        return value

    return AfterValidator(check)


Duration = Annotated[
    float,
    PlainValidator(parse_duration),
    PlainSerializer(duration_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": f"^(?=.){_DURATION}$", "examples": ["90s", "10m", "1h30m"]}),
]
"""Seconds as a float; written as text with a unit."""


@dataclass(frozen=True, slots=True)
class HostPort:
    """Where something listens or answers. ``host`` is an IP (without brackets) or a name."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        ip = ip_text(self.host)
        return self.host == "localhost" if ip is None else ip_address(ip).is_loopback

    @property
    def is_wildcard(self) -> bool:
        """Whether listening there means every address of this machine."""
        ip = ip_text(self.host)
        return ip is not None and ip_address(ip).is_unspecified


def ip_text(host: str) -> str | None:
    """The IP address in its shortest form; None for a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def parse_host_port(value: object, what: str, example: str) -> HostPort:
    """``host:port``. Raises PydanticCustomError, which says that ``what`` was expected."""
    if isinstance(value, HostPort):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        raise expected(what, f"write the host too: {example.rpartition(':')[0]}:{value}")
    if not isinstance(value, str):
        raise expected(what)
    text = value.strip().lower()
    if re.fullmatch(r":?\d+", text, re.ASCII):
        raise expected(what, f"write the host too: {example.rpartition(':')[0]}:{text.removeprefix(':')}")
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        raise expected(what, _address_hint(text, example.rpartition(":")[2]))
    port = int(match["port"])
    if not 1 <= port <= 65_535:
        raise expected("a port from 1 to 65535")
    bracketed = match["host"].startswith("[")
    host = match["host"].strip("[]")
    ip = ip_text(host)
    if bracketed != (":" in host) or (bracketed and ip is None):
        raise expected(what)
    if ip is None and (re.fullmatch(r"[\d.]+", host, re.ASCII) or not _NAME.fullmatch(host)):
        raise expected(what, "an IP address has four numbers from 0 to 255" if host[-1].isdigit() else "")
    return HostPort(ip or host, port)


def _address_hint(text: str, port: str) -> str:
    before, _, last = text.rpartition(":")
    if ":" in before and ip_text(before) and last.isdecimal() and len(last) > 1:
        return "put an IPv6 address in brackets: [::1]:8080"
    if ip_text(text) or _NAME.fullmatch(text):
        return f"add the port: {f'[{text}]' if ':' in text else text}:{port}"
    return ""


def parse_listen_address(value: object) -> HostPort:
    """An address of this machine: an IP or ``localhost``, and a port."""
    place = parse_host_port(value, "an address to listen on, such as 127.0.0.1:8080", "127.0.0.1:8080")
    if place.host != "localhost" and ip_text(place.host) is None:
        raise expected(
            "an IP address or localhost to listen on",
            "write 127.0.0.1 for this machine only, or 0.0.0.0 for the whole network",
        )
    return place


ListenAddress = Annotated[
    HostPort,
    PlainValidator(parse_listen_address),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["127.0.0.1:8080"]}),
]
