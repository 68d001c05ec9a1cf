"""Time zones by their IANA names, and the one this machine is set to."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import PlainValidator, WithJsonSchema

from poorwill.config.complaint import expected


def _exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # ValueError: a path outside the database; OSError: a folder of it, such as "Asia"
        return False
    return True


def parse_zone(value: object) -> str:
    what = "a time zone such as Asia/Shanghai or UTC"
    if not isinstance(value, str):
        raise expected(what)
    name = value.strip()
    if name and _exists(name):
        return name
    known = {zone.casefold(): zone for zone in sorted(available_timezones())}
    cities = {folded.rpartition("/")[2]: zone for folded, zone in known.items()}
    wanted = name.casefold().replace(" ", "_")
    close = difflib.get_close_matches(wanted, known, n=1, cutoff=0.7)
    by_city = difflib.get_close_matches(wanted, cities, n=1, cutoff=0.8)
    if wanted[:3] in ("utc", "gmt") and wanted[3:4] in ("+", "-"):
        raise expected(what, "name a place instead of hours: Asia/Shanghai is UTC+8")
    nearest = known[close[0]] if close else cities[by_city[0]] if by_city else ""
    raise expected(what, f"did you mean {nearest}?" if nearest else "the names are those of the IANA list")


def system_timezone() -> str:
    """What TZ, /etc/localtime or /etc/timezone say, in this order; UTC when none of them names a zone."""
    candidates = [os.environ.get("TZ", "").removeprefix(":")]
    localtime = Path("/etc/localtime")
    if localtime.is_symlink():
        candidates.append(str(localtime.resolve()).rpartition("/zoneinfo/")[2])
    named = Path("/etc/timezone")
    if named.is_file():
        candidates.append(named.read_text(encoding="utf-8", errors="replace").strip())
    return next((name for name in candidates if name and not name.startswith("/") and _exists(name)), "UTC")


TimeZone = Annotated[
    str,
    PlainValidator(parse_zone),
    WithJsonSchema({"type": "string", "examples": ["Asia/Shanghai", "Europe/Berlin", "UTC"]}),
]
