"""Whether this machine lets as many requests wait as the configuration says."""

from __future__ import annotations

import structlog

from poorwill.config import Settings
from poorwill.host.files import raise_limit

_OURS = 200
"""Files that Envoy and we have open for ourselves."""

log = structlog.get_logger()


def make_room(settings: Settings) -> None:
    """Raise the limit of open files; say so when it is too low. A request is two: one on each side."""
    allowed = raise_limit()
    fit = max(0, (allowed - _OURS) // 2)
    small = [name for name, service in settings.visited.items() if service.max_held > fit]
    if small:
        log.warning(
            "too few files may be open at once for max_held",
            services=small[:5],
            allowed=allowed,
            hint=f"about {fit} requests can be open at once; raise the hard limit "
            "(ulimit -Hn, LimitNOFILE= of systemd), or set max_held lower",
        )
