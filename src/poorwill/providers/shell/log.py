"""The log of what an instance's scripts print, and of what they leave running: a file in that place."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from poorwill import clock
from poorwill.providers.base import Shell, Surroundings

MOST = 10 * 1024 * 1024
"""Bytes after which the log is moved aside; one older log is kept."""

EVERY = 60.0
"""Seconds between two looks at its size."""

_PATIENCE = 10.0

_LONGEST = 500
"""Characters of a line that are shown: a script may print a gigabyte without a line's end."""

_WORKS = """\
read -r job of born 2>/dev/null <{log}.job && [ ! -e {log}.code ] || exit 1
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) || boot=none
[ "$born" = "$boot" ] && kill -0 "$job" 2>/dev/null
"""
_KEEP_SMALL = """\
[ -f {log} ] && [ "$(($(wc -c <{log})))" -gt {most} ] || exit 0
umask 077; tail -c {most} {log} >{log}.1; : >{log}
"""


class Log:
    """``file`` is a path on this host, or one below the user's home on another machine."""

    def __init__(self, shell: Shell, around: Surroundings, *, here: bool) -> None:
        self._shell = shell
        self._folder = (
            str(around.folder.absolute()) if here else f".poorwill/{around.gateway}/{around.service}"
        )
        self._look_at = 0.0

    def file(self, instance: str) -> str:
        return f"{self._folder}/{instance}.log"

    async def tail(self, instance: str, lines: int) -> list[str]:
        if lines < 1:
            return []
        log = shlex.quote(self.file(instance))
        show = f"[ ! -f {log} ] || tail -n {lines} {log}"
        shown = (await self._shell.run(show, timeout=_PATIENCE)).output.splitlines()[-lines:]
        return [line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in shown]

    async def works(self, instance: str) -> bool:
        """Whether a script that was begun with this log still runs."""
        check = _WORKS.format(log=shlex.quote(self.file(instance)))
        return (await self._shell.run(check, timeout=_PATIENCE)).code == 0

    async def keep_small(self, instances: Iterable[str]) -> None:
        """Seldom enough to cost nothing."""
        if clock.now().mono < self._look_at:
            return
        self._look_at = clock.now().mono + EVERY
        for instance in instances:
            log = shlex.quote(self.file(instance))
            await self._shell.run(_KEEP_SMALL.format(log=log, most=MOST), timeout=_PATIENCE)
