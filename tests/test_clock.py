from __future__ import annotations

import time

from poorwill import clock


def test_what_counts_goes_on_while_the_host_is_suspended() -> None:
    """No test can suspend a host; which clock it is that is read can be told."""
    going_on = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    before = time.clock_gettime(going_on)
    assert before <= clock.now().mono <= time.clock_gettime(going_on)
