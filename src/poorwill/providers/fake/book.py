"""What the fake place knows, in a file beside the logs: it outlives control planes as a cloud does.

Times are seconds since the epoch: a reading of the monotonic clock would mean nothing after a reboot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from poorwill.errors import Permanent
from poorwill.providers.base import Sighting

_CLOCK = 0.1
"""Seconds by which the process table may date a process too early."""

_MODEL = ConfigDict(frozen=True, extra="forbid")


class Record(BaseModel):
    """One instance, as it was asked for. ``gone_at`` is set by a stop that takes its time."""

    model_config = _MODEL

    asked_at: float
    running_at: float
    answers_at: float
    ends_at: float | None = None
    exit_code: int = 0
    gone_at: float | None = None


class Page(BaseModel):
    """``starts`` and ``stops`` count the calls whose outcome was drawn."""

    model_config = _MODEL

    opened_at: float
    starts: int = 0
    stops: int = 0
    instances: Mapping[str, Record] = {}


def dated(sighting: Sighting, record: Record | None) -> Sighting:
    """As this place bills it: from when it was asked for to when it was to be gone."""
    since, until = sighting.since, sighting.until
    if record is None or since is None or since < record.asked_at - _CLOCK:
        return sighting
    if until is not None and record.gone_at is not None:
        until = min(until, record.gone_at)
    return replace(sighting, since=record.asked_at, until=until)


class Book:
    """Only one Poorwill at a time writes into a state folder, so a file without a lock will do."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fake.json"

    @property
    def file(self) -> Path:
        return self._file

    def read(self, now: float) -> Page:
        """Raises ``Permanent`` when the file cannot be understood."""
        try:
            return Page.model_validate_json(self._file.read_text())
        except FileNotFoundError:
            return Page(opened_at=now)
        except (OSError, ValidationError) as error:
            raise Permanent(
                f"what the fake place knows cannot be read: {self._file}",
                hint="remove the file; the place begins anew",
            ) from error

    def write(self, page: Page) -> None:
        """Raises ``Permanent`` when the folder cannot be written to."""
        fresh = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_text(page.model_dump_json(indent=1))
            fresh.replace(self._file)
        except OSError as error:
            raise Permanent(
                f"{self._file} cannot be written: {error.strerror}",
                hint="check the owner of the state folder",
            ) from error

    def note(self, page: Page, instance: str, record: Record) -> Page:
        """Write one instance down; returns the page as it is now."""
        page = page.model_copy(update={"instances": {**page.instances, instance: record}})
        self.write(page)
        return page
