"""How many files this process and its children may have open."""

from __future__ import annotations

import resource

ENOUGH = 65_536
"""Open files that no gateway needs more of."""


def raise_open_files() -> int:
    """Use what the host allows: each visitor takes two files in Envoy, which inherits the limit.

    Returns the limit that holds now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
