"""Running the gateway in this process."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar, cast

import structlog

from poorwill.app import Exit, Poorwill
from poorwill.app.room import make_room
from poorwill.cli.options import read
from poorwill.cli.output import Patient, say
from poorwill.config import Settings
from poorwill.errors import PoorwillError, StateError
from poorwill.host import trouble
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Journal

log = structlog.get_logger()

Raised = TypeVar("Raised", PoorwillError, OSError)


def run(file: Path, *, verbose: bool = False, serving: Callable[[], None] | None = None) -> None:
    """Serve until told to end. Raises PoorwillError when it cannot begin."""
    settings = read(file)
    set_up_log(verbose=verbose)
    make_room(settings)
    folder = StateFolder.open(settings.state)
    try:
        ended = asyncio.run(_serve(settings, folder, file, serving or (lambda: _say_hello(settings))))
    except* PoorwillError as group:
        raise _first(group) from None
    except* OSError as group:
        raise _of_the_host(_first(group), settings.state) from None
    finally:
        folder.close()
    if ended is Exit.DOWN:
        say("Everything is asleep.")
    else:
        say("The control plane ended; Envoy and what is awake go on.")


async def _serve(settings: Settings, folder: StateFolder, file: Path, serving: Callable[[], None]) -> Exit:
    journal = await Journal.open(folder.path)
    try:
        program = Poorwill(settings, folder, journal, lambda: read(file), file.absolute().parent)
        gc.freeze()  # what was imported stays: no need to look at it in every collection
        return await program.run(serving)
    finally:
        await journal.close()


def set_up_log(*, verbose: bool) -> None:
    """Lines for people on a terminal, JSON when a machine reads."""
    level = logging.DEBUG if verbose else logging.INFO
    machine = structlog.processors.JSONRenderer(ensure_ascii=False)
    people = structlog.dev.ConsoleRenderer(colors=True, pad_event_to=10)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso" if not sys.stderr.isatty() else "%H:%M:%S"),
            people if sys.stderr.isatty() else machine,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )


def _say_hello(settings: Settings) -> None:
    say(f"Poorwill serves http://{settings.listen}  (Ctrl-C puts everything to sleep and ends it)")


def _first(group: BaseExceptionGroup[Raised]) -> Raised:
    error: BaseExceptionGroup[Raised] | Raised = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _of_the_host(error: OSError, state: Path) -> StateError:
    what = trouble.words(error) + ("" if error.filename else f" (the state folder is {state})")
    return StateError(f"this host does not let Poorwill work: {what}", hint=trouble.hint(error))
