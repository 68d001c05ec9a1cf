"""How many files may be open at once: every visitor is one, and one more at the service.

Envoy raises its own limit as far as it may. So does this process, for its connections to waiting pages.
"""

from __future__ import annotations

import resource

ENOUGH = 65_536
"""Nobody needs more here, and some programs become slow with a limit of a billion, which children inherit."""


_OURS = 200
"""Files that Envoy and we have open for ourselves."""


def connections(most: int = 50_000) -> int:
    """How many visitors fit, at most. Envoy must never have to do without a file towards a service: it then
    loses count of its requests.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if hard == resource.RLIM_INFINITY else max(10, min(most, (hard - _OURS) // 2))


def raise_limit() -> int:
    """As far as it may be raised; returns how many may be open now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return ENOUGH if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):  # macOS has a second limit below
        return soft
    return wanted
