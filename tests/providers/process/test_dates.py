"""When a life began and ended, by the host's own books: what a bill can rest on."""

from __future__ import annotations

import os
import signal
import time

from tests.providers.conformance import becomes, through_json
from tests.providers.process_place import ProcessPlace

from poorwill.core.model import Condition

TICK = 0.02
"""The process table counts in hundredths of a second."""


async def test_from_the_start_of_the_process_to_its_exit_code(place: ProcessPlace) -> None:
    provider = place.provider(command=["sh", "-c", "sleep 0.3"])
    before = time.time()
    handle = await provider.start("a", {})
    after = time.time()
    running = await becomes(provider, "a", Condition.RUNNING)
    assert running.since is not None
    assert before - TICK <= running.since <= after + TICK
    assert running.until is None
    over = await becomes(provider, "a", Condition.ABSENT)
    assert over.since is not None
    assert over.until is not None
    assert abs(over.since - running.since) < TICK
    assert 0.3 - TICK <= over.until - over.since <= time.time() - over.since
    later = place.provider()
    await later.adopt({"a": through_json(handle)})  # one that was not there when it ended
    told = await becomes(later, "a", Condition.ABSENT)
    assert told.until == over.until
    assert told.since is not None
    assert abs(told.since - over.since) < TICK


async def test_of_a_wrapper_that_was_killed_nobody_knows_when(place: ProcessPlace) -> None:
    provider = place.provider(command=["sleep", "60"])
    handle = await provider.start("a", {})
    os.kill(handle.data["pid"], signal.SIGKILL)
    over = await becomes(provider, "a", Condition.ABSENT)
    assert (over.since is None, over.until) == (False, None)
