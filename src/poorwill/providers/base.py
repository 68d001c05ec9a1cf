"""The contract between Poorwill and a place where instances live.

A provider object belongs to one service. It never decides anything and never retries: it does one call,
says what it saw, and raises ``Temporary`` or ``Permanent``. Nothing it returns outlives JSON, so that
the journal can hand it back after a restart.

Laws a provider keeps:

* ``list`` reports every instance of its service that exists, those it did not start in this life
  included. An error is an error, never an empty list.
* ``start`` is idempotent: for an instance that already runs it returns that one's handle.
* ``stop`` may return before the instance is gone; only ``list`` proves absence. Stopping what is
  absent is fine.
* no call blocks the event loop.
* a service may have several instances: ``NAME-1``, ``NAME-2`` and so on. Each comes and goes alone. Calls for
  different ones may be under way at the same time, an error of one says nothing about another, and ``list``
  reports each once. What they share (a database that all need) comes with the first and goes with the last.
  A place that cannot have several says so in its ``Options``: ``several`` is why not, and what to do; empty
  when it can.

Some methods are optional:

* ``async def lost(self) -> None`` of a provider whose services may live on a machine. It is called once each
  time the machine turns out to be off: nothing of the service exists any more. Who remembers what runs
  forgets it there; handles from before are not handed to ``adopt`` afterwards.
* ``async def cpu_seconds(self, instance) -> float``: the processor time that the instance, with all it
  started, has used so far; its ``Options`` then say ``measures_cpu``.
* ``async def memory_bytes(self, instance) -> float``: the memory that it uses now, all it started included.
* ``async def process_ids(self, instance) -> frozenset[int]``: its processes on this host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from poorwill.core.model import Condition
from poorwill.errors import Temporary
from poorwill.host import trouble

Json = Any
"""A value that survives ``json.dumps``."""


@dataclass(frozen=True, slots=True)
class Handle:
    """What is needed to find an instance again after a restart; ``data`` is JSON, the provider's own."""

    instance: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a provider saw of one instance.

    ``life`` tells one life of the instance from the next (process: boot, pid and start time), so that
    what a probe learnt about an earlier life is not believed of a later one. ``address`` is
    ``host:port`` when the provider knows it, else None. ``detail`` is one line for people, such as
    ``exit code 3`` or ``somebody else stopped the container``. ``exit_code`` is how a life that is over
    ended, where the place knows it. ``values`` are what an address may be made of, by name: ``host``,
    ``ssh_port`` and whatever else a cloud tells about an instance that runs.

    Two marks tell who began this life, where the place knows. ``by_us``: it carries our mark, so nobody else
    can have started it. ``resumed``: the place itself started it again after the life before had ended (a
    restart policy), so whose that one was stays the same. With neither, the journal decides.

    ``since`` and ``until`` are the place's own timestamps of when this life began to cost something and when
    it ended, in seconds since the epoch, where it tells them. One that is absent may carry both: those of
    the last life. A place on this host reads both from the clock as it is set now.
    """

    instance: str
    condition: Condition
    life: str = ""
    address: str | None = None
    detail: str = ""
    handle: Handle | None = None
    exit_code: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    by_us: bool = False
    resumed: bool = False
    since: float | None = None
    until: float | None = None


def broken(error: Exception) -> Temporary:
    """What a provider should not have raised, in the words of the contract.

    What the host runs short of is nobody's mistake.
    """
    if isinstance(error, OSError) and error.errno:
        return Temporary(f"this host: {trouble.words(error)}", hint=trouble.hint(error))
    return Temporary(
        f"the provider broke: {type(error).__name__}: {error}", hint="this is a mistake in the provider"
    )


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a command: its exit code (128 + n after signal n; None when it was ended for taking
    too long) and the last part of what it printed, standard output and error together.
    """

    code: int | None
    output: str = ""


class Shell(Protocol):
    """Where the commands of a service run: this host, or a machine over SSH.

    Every call raises ``Temporary`` when the place cannot be reached, ``Permanent`` when it refuses us
    (a host key that changed, a key it does not accept).
    """

    async def run(
        self,
        command: str,
        *,
        timeout: float,
        cwd: str = "",
        env: Mapping[str, str] | None = None,
        log: str = "",
    ) -> Ran:
        """Run one line of a POSIX shell. After ``timeout`` seconds it is ended with its children.

        ``log`` is a file in that place: it gets the output and is kept, so that what the command leaves
        running in the background can go on writing. One command at a time uses a log; one that an
        earlier life of ours began is waited for instead of being run a second time.
        """
        ...

    async def socket(self, path: str) -> Path:
        """A unix socket on this host that leads to the one at ``path`` in that place."""
        ...

    async def close(self) -> None: ...


def _unheard(_words: str) -> None:
    """For a provider that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a provider is built with.

    ``gateway`` is this Poorwill's own id, ``service`` the service's name, ``folder`` a private folder
    for the provider's files (logs, exit codes), ``base`` the folder of ``poorwill.yaml``, to which
    relative paths belong; ``address`` is where the user says the service answers, if he does.
    ``changed`` may be called from the event loop at any time: it asks for a fresh ``list``. ``note`` writes a
    line about the service into the journal: what somebody else did to it, what fights with its sleep.
    ``shell`` is where commands run when the service lives on a machine; None means this host. ``visited`` is
    False for a job: nobody asks where it answers. ``instances`` is how many there may be at most.
    """

    gateway: str
    service: str
    folder: Path
    base: Path
    changed: Callable[[], None]
    address: tuple[str, int] | None = None
    note: Callable[[str], None] = _unheard
    shell: Shell | None = None
    visited: bool = True
    instances: int = 1


class Provider(Protocol):
    """See the module's docstring for the laws."""

    Options: ClassVar[type[BaseModel]]
    """The model of the section below ``run:`` that carries the provider's name."""

    settle: float
    """Seconds for which a contrary ``list`` is not believed after a call returned."""

    stale_after: float
    """Seconds after which the last successful ``list`` no longer says anything."""

    def __init__(self, options: Any, around: Surroundings) -> None: ...

    async def adopt(self, known: Mapping[str, Handle]) -> None:
        """Take over what an earlier life of the control plane started (``known`` from the journal)."""

    async def prepare(self, instance: str) -> Mapping[str, Json]:
        """Choose what must be journalled before the start (a port); no side effects outside."""

    async def start(self, instance: str, prepared: Mapping[str, Json]) -> Handle: ...

    async def stop(self, instance: str) -> None: ...

    async def log_tail(self, instance: str, lines: int) -> list[str]:
        """The last lines the instance printed, oldest first; empty when there is no log."""

    async def close(self) -> None:
        """Let go of watchers and connections; running instances are left alone."""

    async def list(self) -> list[Sighting]:
        """Every instance of the service that exists. Last, because it hides the built-in name."""
