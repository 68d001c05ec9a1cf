"""From when on something holds, as people write it: a day, or a time of a day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from poorwill.config.complaint import expected
from poorwill.config.days import parse_date
from poorwill.core.localtime import MIDNIGHT

_WHAT = "a day such as 2026-11-01, or a time such as 2026-11-01 14:00"


def parse_since(value: object) -> datetime:
    """Local time, without a zone; a day begins at midnight."""
    if isinstance(value, datetime):
        return value
    match = re.fullmatch(r"(\S+?)(?:[ T](\d\d?):(\d\d))?", str(value).strip(), re.ASCII)
    if match is None or not isinstance(value, str):
        raise expected(_WHAT, "it is the time of the file's time zone")
    day, hour, minute = parse_date(match[1]), int(match[2] or 0), int(match[3] or 0)
    if hour > 23 or minute > 59:
        raise expected(_WHAT, "a day has the times 00:00 to 23:59")
    return datetime.combine(day, MIDNIGHT) + timedelta(hours=hour, minutes=minute)


_PATTERN = {"type": "string", "pattern": r"^\d{4}-\d\d?-\d\d?([ T]\d\d?:\d\d)?$"}

Since = Annotated[
    datetime,
    PlainValidator(parse_since),
    PlainSerializer(lambda moment: f"{moment:%Y-%m-%d %H:%M}"),
    WithJsonSchema(_PATTERN),
]
