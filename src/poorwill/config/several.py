"""What a service with several instances needs: a place that can have them, and an address for each."""

from __future__ import annotations

from collections.abc import Iterator

from poorwill.config.address import ServiceAddress
from poorwill.config.claims import Complaint
from poorwill.config.complaint import wrong
from poorwill.config.run import Run

_ONE = "or leave it at one: max_instances: 1"

_OWN = frozenset({"instance", "number", "index", "container_port"})
"""What an instance on a machine says itself; all else the machine says, alike for all that live on it."""


def several_complaints(run: Run, address: ServiceAddress | None, on: str | None) -> list[Complaint]:
    """For a service with ``max_instances`` above 1; paths are below the service. ``on`` is its machine."""
    return [*_place(run), *_address(run, address, on)]


def _place(run: Run) -> Iterator[Complaint]:
    if run.several:
        yield ("run",), wrong(run.several, _ONE), None


def _address(run: Run, address: ServiceAddress | None, on: str | None) -> Iterator[Complaint]:
    if address is None or run.several:
        return
    about = (("run",),)  # to be put right first: it may be that no address is needed then
    if address.url.tunnel:
        error = wrong("a tunnel leads to one instance only", f"leave it out, {_ONE}", about=about)
        yield ("address",), error, None
    elif not (address.placeholders if on is None else address.placeholders & _OWN):
        hint = f"write {_numbered(str(address.url))}"
        if run.may_give_address:
            hint = "leave address out: the place says where each instance answers"
            if on is not None:
                hint = "write {host}:{container_port}"
        message = f"{address.url} is the same for every instance"
        yield ("address",), wrong(message, f"{hint}, {_ONE}", about=about), None


def _numbered(address: str) -> str:
    """An example of their own: ``127.0.0.1:910{number}`` for ``127.0.0.1:9100``."""
    head, colon, port = address.rpartition(":")
    return f"{head}:{port[:-1]}{{number}}" if colon and port.isdecimal() else f"{address}:910{{number}}"
