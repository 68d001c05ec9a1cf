"""Thirty cycles with a fixed seed. ``make chaos`` does more of them, with the seed you like."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from tests.acceptance.chaos.laws import breaches
from tests.acceptance.chaos.play import play
from tests.acceptance.chaos.record import Happened
from tests.acceptance.chaos.report import cycles, report
from tests.acceptance.chaos.troubles.control_plane import HERD
from tests.conftest import ON_CI

SEED, CYCLES = 7, 30


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_thirty_cycles(tmp_path: Path) -> None:
    began = time.monotonic()
    record = await play(tmp_path, seed=SEED, cycles=CYCLES, say=print)
    print(report(record, SEED, time.monotonic() - began))
    found = breaches(record)
    assert not found, "\n".join(found)
    assert cycles(record).total() >= CYCLES
    killed = {one.phase for one in record.happened(Happened.CONTROL_PLANE_KILLED)}
    assert {
        "awake",
        f"waking with {HERD} held",
        "draining",
        "stopping",
        "scaling out",
        "scaling in",
    } <= killed
    assert record.happened(Happened.CLOCK) or not (ON_CI and sys.platform == "linux"), "needs cc: make tools"
