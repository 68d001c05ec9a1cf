"""What is measured of the services, wired up: readings, the numbers of the rules about load, /metrics."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from poorwill.advisor.gpus import priced
from poorwill.app.shells import Shells
from poorwill.config import Settings
from poorwill.config.bounds import all_budgets
from poorwill.config.price import PriceConfig
from poorwill.config.scale import ScalePolicyConfig
from poorwill.config.source import Source
from poorwill.control.apply import Spawn
from poorwill.control.budgets import Budgets
from poorwill.control.energy import Energy
from poorwill.control.facts import Facts
from poorwill.control.fullness import Fullness
from poorwill.control.gauges import BUILT_IN, Gauges
from poorwill.control.recorder import Recorder
from poorwill.control.reviews import Reviews
from poorwill.control.terms import Terms
from poorwill.control.uncountable import gaps
from poorwill.control.using import Using, Visitors
from poorwill.gateway.admin import Admin
from poorwill.gateway.doors import Door
from poorwill.gateway.readings import Readings
from poorwill.providers.base import Shell
from poorwill.providers.shell.local import LocalShell
from poorwill.store.journal import Journal
from poorwill.web.api import Desk
from poorwill.web.metrics import Measured, Metrics
from poorwill.web.tally import Tally

LEAST = 60.0
"""Seconds of readings that are kept in any case, for people to see."""


class Measures:
    """``nudge(service)`` is called after each reading of one with rules."""

    def __init__(
        self,
        admin: Admin,
        doors: Mapping[str, Door],
        journal: Journal,
        recorder: Recorder,
        spawn: Spawn,
        shells: Shells,
        nudge: Callable[[str], None],
    ) -> None:
        def shell(machine: str) -> Shell:
            return shells.of(machine) if machine else LocalShell()

        self.gauges = Gauges(recorder, spawn, shell)
        self.readings = Readings(admin, doors, self.gauges.values, nudge)
        self._tally = Tally(journal)
        self._terms = Terms(journal, recorder, priced)
        self._fullness = Fullness(spawn, shell, self._gauged_memory)
        self._using = Using(recorder, self._fullness.of)
        self._energy = Energy(recorder, spawn, shell)
        self._budgets = Budgets(journal.path.parent, recorder, nudge, noted=self._terms.noted)
        self._reviews = Reviews(journal, recorder, journal.path.parent)
        self._rules: tuple[str, ...] = ()

    def shape(self, settings: Settings) -> None:
        """What the configuration says about money; what its rules want to know, and for how long back."""
        self._terms.state(settings)
        self._reviews.state(settings)
        self._energy.measure(metered(settings))
        budgets = (one for every in all_budgets(settings).values() for one in every)
        self._budgets.want(budgets, lambda: [*gaps(settings, priced)])
        rules = {name: one.scale_policy for name, one in settings.visited.items() if one.scale_policy}
        self._rules = tuple(rules)
        self.readings.keep({name: look_back(config) for name, config in rules.items()})
        self.gauges.want({name: numbers(config) for name, config in rules.items()})

    def metrics(self, desk: Desk) -> Metrics:
        return Metrics(desk, self.readings.counts, self._measured, self._tally)

    def works(
        self, services: Mapping[str, Facts], visitors: Visitors
    ) -> tuple[Coroutine[Any, Any, None], ...]:
        """``services`` are those in charge, whenever it is looked at."""
        of_gpus = self._energy.run(services), self._fullness.run(services)
        of_visitors = self.readings.run(), self._using.run(services, visitors)
        of_money = self._terms.run(), self._budgets.run(services), self._reviews.run()
        return self.gauges.run(services), *of_gpus, *of_visitors, *of_money, self._tally.run()

    async def end(self) -> None:
        """Write down what was measured and is not written yet."""
        self._energy.end()
        await self._using.end()

    def _gauged_memory(self, service: str) -> float | None:
        return self.gauges.values(service)[0].get("gpu_memory")

    def _measured(self) -> Measured:
        return {name: self.gauges.values(name) for name in self._rules}


HERE = frozenset(("process", "docker", "compose", "command"))
"""Providers whose services run on this host, unless they are on a machine."""


def metered(settings: Settings) -> list[str]:
    """Those whose price says that what they draw is measured, as far as their GPUs can be asked."""
    open_to_us = {name for name, machine in settings.machines.items() if machine.ssh}
    machines = [name for name in open_to_us if _is_measured(settings.machines[name].price)]
    services = [
        name
        for name, one in settings.services.items()
        if _is_measured(one.price) and (one.on in open_to_us if one.on else one.run.provider in HERE)
    ]
    return [*machines, *services]


def _is_measured(price: PriceConfig | None) -> bool:
    return price is not None and price.measured


def look_back(config: ScalePolicyConfig) -> float:
    """Seconds of readings that the rules of a ``scale_policy`` are functions of."""
    policy = config.policy(slots=1)  # how many slots changes only what the target is
    rules = [rule.duration + rule.window for rule in (*policy.scale_out, *policy.scale_in)]
    target = policy.target.patience + policy.target.stable if policy.target else 0.0
    return max([LEAST, target, *rules])


def numbers(config: ScalePolicyConfig) -> dict[str, Source | None]:
    """The numbers beside requests that they look at."""
    policy = config.policy(slots=None)
    names = {rule.metric.name for rule in (*policy.scale_out, *policy.scale_in)}
    own: dict[str, Source | None] = {source.name: source for source in config.sources}
    return {**dict.fromkeys(names & BUILT_IN), **own}
