"""Whether an instance runs: by its status script or its port, and not more often than it is cheap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.providers.base import Ran
from poorwill.providers.shell.lives import Life, Phase
from poorwill.providers.shell.options import ScriptOptions
from poorwill.providers.shell.verdict import Verdict, of_port, of_status

SHARE = 10.0
"""An answer is kept for so many times as long as it took to get, so that asking costs little,"""

LONGEST = 4.0
"""and for no more seconds than this."""


class Asking:
    """``run`` runs a status script for an instance. Errors are not kept."""

    def __init__(
        self,
        run: Callable[[str, str], Awaitable[Ran]],
        options: ScriptOptions,
        address: tuple[str, int] | None,
    ) -> None:
        self._run = run
        self._options = options
        self._address = address
        self._answers: dict[str, tuple[float, Verdict]] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def ask(self, instance: str, life: Life | None, *, patient: bool) -> Verdict:
        """Raises ``Temporary`` when nobody can tell."""
        asked_at = clock.now().mono
        async with self._locks.setdefault(instance, asyncio.Lock()):
            begun = clock.now().mono
            good_until, verdict = self._answers.get(instance, (0.0, None))
            # Who had to wait for another's question takes its answer when that began after his own.
            if verdict is not None and patient and max(asked_at, begun) < good_until:
                return verdict
            verdict = await self._answer(instance, life)
            now = clock.now().mono
            self._answers[instance] = (now + min(LONGEST, SHARE * (now - begun)), verdict)
            return verdict

    def forget(self, instance: str) -> None:
        """What was answered is no longer so: a script has done something."""
        self._answers.pop(instance, None)

    async def _answer(self, instance: str, life: Life | None) -> Verdict:
        options = self._options
        if options.status is not None:
            ran = await self._run(instance, options.status)
            return of_status(ran, options.status_timeout, options.status_codes)
        if self._address is not None:
            return await of_port(self._address)
        if life is not None and life.phase in (Phase.STARTED, Phase.RUNNING):
            return Verdict(Condition.RUNNING, "its start script has ended well")
        return Verdict(Condition.ABSENT, "nothing is known to run")
