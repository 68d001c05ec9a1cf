"""Several instances in one Compose project: each is a container of the service that visitors reach, and all
share the rest of the project. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from poorwill.providers.docker.group import Group
from poorwill.providers.docker.state import Seen
from poorwill.providers.instances import named

NUMBER = "com.docker.compose.container-number"


def number_of(seen: Seen) -> int:
    return int(seen.labels.get(NUMBER) or 0)


def owners(numbers: Iterable[int], most: int) -> dict[int, int]:
    """Container number → instance number, where there may be ``most`` instances.

    They are the same, except where somebody removed a container: Compose never uses a number again, so
    the instance that lacks one takes the lowest number that no instance has.
    """
    there = sorted(numbers)
    missing = [number for number in range(1, most + 1) if number not in there]
    spare = [number for number in there if number > most]
    return {**{number: number for number in there}, **dict(zip(spare, missing, strict=False))}


def wanted(project: Group, number: int, most: int) -> int:
    """How many containers there must be for this instance to have one."""
    there = [number_of(seen) for seen in project.services.get(project.visited, ())]
    taken = set(owners(there, most).values())
    return len(there) + sum(one not in taken for one in range(1, number + 1))


def split(project: Group, service: str, most: int, starting: Collection[str]) -> dict[str, Group]:
    """The instances that have a container, and those in ``starting``: a start of them is under way."""
    visited = project.services.get(project.visited, ())
    whose = owners(map(number_of, visited), most)
    mains = {named(service, whose[number_of(seen)]): seen for seen in visited}
    up = {instance for instance, seen in mains.items() if seen.is_up or seen.status == "restarting"}
    needing = up | set(starting)
    return {
        instance: part(project, mains.get(instance), needed=bool(needing - {instance}))
        for instance in [*mains, *(set(starting) - mains.keys())]
    }


def part(project: Group, main: Seen | None, *, needed: bool) -> Group:
    """One instance. What it shares stays up while it is ``needed`` by another one."""
    shared = {name: each for name, each in project.services.items() if name != project.visited}
    services = shared if main is None else {**shared, project.visited: (main,)}
    needs = {name: each for name, each in project.needs.items() if name in services}
    keep = project.keep | shared.keys() if needed else project.keep
    return replace(project, services=services, needs=needs, keep=frozenset(keep))


def alone(group: Group) -> Group:
    """Without what it shares: that stays as it is."""
    return replace(group, keep=group.keep | (group.services.keys() - {group.visited}))


def last_of(groups: dict[str, Group]) -> dict[str, Group]:
    """What is left over when all have ended is one instance's to put away: the one that ended last."""
    ended = {name: each.main.finished for name, each in groups.items() if each.main}
    last = max(ended, key=lambda name: (ended[name], name), default="")
    return {name: group if name == last else alone(group) for name, group in groups.items()}
