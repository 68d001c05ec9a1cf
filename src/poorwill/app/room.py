"""Whether this machine lets as many requests wait as the configuration says."""

from __future__ import annotations

import structlog

from poorwill.config import Settings
from poorwill.errors import StateError
from poorwill.host.files import connections, raise_limit

log = structlog.get_logger()


FEWEST = 128
"""Open files below which libraries fail in ways that nobody understands."""


def make_room(settings: Settings) -> None:
    """Raise the limit of open files; say so when it is too low. A request is two: one on each side.

    Raises StateError when nothing can work.
    """
    allowed, fit = raise_limit(), connections()
    if allowed < FEWEST:
        raise StateError(
            f"only {allowed} files may be open at once, which is too few for a gateway",
            hint="ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit",
        )
    small = [name for name, service in settings.visited.items() if service.max_held > fit]
    if small:
        log.warning(
            "too few files may be open at once for max_held",
            services=small[:5],
            allowed=allowed,
            hint=f"only {fit} visitors can be connected at once; raise the hard limit "
            "(ulimit -Hn, LimitNOFILE= of systemd), or set max_held lower",
        )
