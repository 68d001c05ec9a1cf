"""What services and machines say about each other: ``on``, ``needs``, and names that must be told apart."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from poorwill.config.claims import Complaint
from poorwill.config.complaint import wrong

if TYPE_CHECKING:
    from poorwill.config.machine import MachineConfig
    from poorwill.config.service import ServiceConfig

Services = Mapping[str, "ServiceConfig"]
Machines = Mapping[str, "MachineConfig"]


def relation_complaints(services: Services, machines: Machines) -> list[Complaint]:
    found: list[Complaint] = []
    for name in machines.keys() & services.keys():
        error = wrong(f"{name} is a service too", "give one of them another name", other=("services", name))
        found.append((("machines", name), error, None))
    for name, machine in machines.items():
        found += _machine(name, machine)
    needed = {need for service in services.values() for need in service.needs}
    for name, service in services.items():
        found += _place(name, service, machines)
        found += _unseen(name, service, name in needed)
        found += _needs(name, service, services, machines)
    return found + _circles(services) + _shared(services, machines)


def _machine(name: str, machine: MachineConfig) -> Iterable[Complaint]:
    for index, entry in enumerate(machine.schedule):
        if entry.until == "done":
            loc = ("machines", name, "schedule", index, "until")
            yield loc, wrong("a machine is never done", "write until: idle"), "done"


def _shared(services: Services, machines: Machines) -> list[Complaint]:
    """Two that start and stop the same thing: one would put to sleep what the other needs."""
    found: list[Complaint] = []
    first: dict[tuple[str, str], tuple[str, str]] = {}
    every = [*((("machines", name), one.run, "") for name, one in machines.items())]
    every += [(("services", name), one.run, one.on or "") for name, one in services.items()]
    for at, run, machine in every:
        owner = first.setdefault((run.owns, machine), at) if run.owns else at
        if owner != at:
            there, here = (*owner, "run"), (*at, "run")
            hint = "leave one of them out: Poorwill starts and stops it as a whole"
            error = wrong(
                f"{run.owns} already belongs to {'.'.join(owner)}", hint, other=there, about=(there,)
            )
            found.append((here, error, None))
    return found


def _place(name: str, service: ServiceConfig, machines: Machines) -> Iterable[Complaint]:
    loc = ("services", name, "on")
    if service.on is not None and service.on not in machines:
        hint = _did_you_mean(service.on, machines)
        error = wrong(f"there is no machine {service.on}", hint, about=(("machines", service.on),))
        yield loc, error, service.on
        return
    machine = machines[service.on] if service.on else None
    if machine is None and service.run.provider == "machine":
        error = wrong("it comes with its machine, and nothing says which", "add on: NAME", about=(loc,))
        yield (*loc[:2], "run"), error, None
    if (
        service.address is not None
        and service.address.url.tunnel
        and (machine is None or machine.ssh is None)
    ):
        hint = "say how to log in: machines: {NAME: {ssh: {user: root}}}, and on: NAME for the service"
        yield (*loc[:2], "address"), wrong("a tunnel needs a machine with ssh", hint, about=(loc,)), None
    if machine is not None and not getattr(service.run.options, "on_machine", False):
        hint = "write command or compose, or leave run out when the machine starts it by itself"
        if getattr(service.run.options, "engine", None):
            hint = "leave engine out: the Docker Engine of the machine is used"
        error = wrong(f"{service.run.provider} cannot run on a machine", hint, about=(loc,))
        yield (*loc[:2], "run"), error, None
    elif machine is not None and machine.ssh is None and service.run.provider != "machine":
        hint = f"add ssh to machines.{service.on}, or leave run out when the machine starts it by itself"
        error = wrong(f"nothing says how to log in to {service.on}", hint, about=((*loc[:2], "run"),))
        yield loc, error, service.on


def _unseen(name: str, service: ServiceConfig, needed: bool) -> Iterable[Complaint]:
    """What others need and visitors do not find is asked at its own address: its load passes no gateway."""
    most = service.scale_policy.max_instances if service.scale_policy else 1
    if most > 1 and needed and not service.hosts and service.path is None:
        hint = "give it hosts, and let the others ask it there, or leave it at one: max_instances: 1"
        error = wrong("nobody visits it through Poorwill, so its load cannot be seen", hint)
        yield ("services", name, "scale_policy", "max_instances"), error, None


def _needs(name: str, service: ServiceConfig, services: Services, machines: Machines) -> Iterable[Complaint]:
    for index, need in enumerate(service.needs):
        loc = ("services", name, "needs", index)
        if need == name:
            yield loc, wrong(f"{name} cannot need itself", "leave it out"), need
        elif need in machines and need not in services:
            yield loc, wrong(f"{need} is a machine", f"for what runs on it write on: {need}"), need
        elif need not in services:
            yield loc, wrong(f"there is no service {need}", _did_you_mean(need, services)), need
        elif services[need].is_job:
            yield loc, wrong(f"{need} is a job: it ends by itself", "only services can be needed"), need


def _circles(services: Services) -> list[Complaint]:
    found: list[Complaint] = []
    told: set[str] = set()
    for name in services:
        path = _way_back(name, services)
        if path and not told & set(path):
            told |= set(path)
            words = " needs ".join([*path, name])
            error = wrong(f"a circle: {words}", "leave one of these needs out")
            found.append((("services", name, "needs"), error, None))
    return found


def _way_back(name: str, services: Services) -> list[str]:
    """From a service along its needs back to itself; empty when there is no such way."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for need in services[way[-1]].needs if way[-1] in services else ():
            if need == name and len(way) > 1:
                return way
            if need not in seen and need != way[-1]:  # that one needs itself is said elsewhere
                seen.add(need)
                ways.append([*way, need])
    return []


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return (
        f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}" if names else "there are none"
    )
