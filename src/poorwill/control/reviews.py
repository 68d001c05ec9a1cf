"""Looks back on each month when it is over, if the configuration says so: once, whatever is restarted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from poorwill import clock
from poorwill.accounts.looking_back import rules_of
from poorwill.accounts.monthly import due, write
from poorwill.accounts.render import Format
from poorwill.accounts.words import system_language
from poorwill.config import Settings
from poorwill.control.recorder import Recorder
from poorwill.errors import StateError
from poorwill.store.journal import Entry, Journal, Kind

log = structlog.get_logger()

PAUSE = 60.0
"""Seconds between two looks at the calendar: somebody may set the clock."""
RETRY_PAUSE = 600.0


class Reviews:
    """``folder`` is the state folder. What is written is told by an event of the kind REVIEW: whoever sends
    things to people (alerts) only has to listen for that.
    """

    def __init__(self, journal: Journal, recorder: Recorder, folder: Path) -> None:
        self._journal, self._recorder, self._folder = journal, recorder, folder
        self._settings: Settings | None = None
        self._done: set[str] | None = None

    def state(self, settings: Settings) -> None:
        """What is configured now: before ``run``, and when it changes."""
        self._settings = settings

    async def run(self) -> None:
        while True:
            try:
                await self.look()
                pause = PAUSE
            except StateError as error:
                log.error("the monthly review failed", error=str(error), hint=error.hint)
                pause = RETRY_PAUSE
            except Exception:  # a damaged journal may say anything: nothing else must end with it
                log.exception("the monthly review failed")
                pause = RETRY_PAUSE
            await asyncio.sleep(pause)

    async def look(self) -> None:
        """Write what is due and not written yet. Raises StateError when that cannot be done now."""
        settings, now = self._settings, clock.now()
        if settings is None or not settings.review.monthly:
            return
        month = due(now.wall, settings.timezone)
        if self._done is None:
            self._done = {str(one.detail.get("month")) for one in await self._journal.reviews()}
        if str(month) in self._done:
            return
        language = settings.review.lang or system_language()
        formats = [Format(form) for form in settings.review.formats]
        rules = rules_of(settings)
        files = await asyncio.to_thread(write, self._folder, month, now.wall, rules, language, formats)
        if files:
            detail = {"month": str(month), "files": files, "lang": language}
            reason = f"{month} was looked back on"
            await self._recorder.commit(clock.now(), Entry(Kind.REVIEW, reason=reason, detail=detail))
            log.info("review", month=str(month), files=files)
        self._done.add(str(month))
