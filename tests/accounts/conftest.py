from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.accounts.journaled import journaled, settings

from poorwill.accounts.record import Record
from poorwill.config import Settings


@dataclass(frozen=True)
class Kept:
    """The recorded month: what was lived, and where it stands in a journal."""

    record: Record
    settings: Settings
    folder: Path


@pytest.fixture(scope="session")
def october(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("october")
    known = settings(folder)
    return Kept(asyncio.run(journaled(known)), known, folder)
