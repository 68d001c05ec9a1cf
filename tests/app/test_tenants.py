from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from poorwill.app.reload import check_return
from poorwill.app.shells import Shells
from poorwill.app.sites import door, resume
from poorwill.app.tenants import Grounds, _around, leftover, remember, settle_in
from poorwill.config import MachineConfig, ServiceConfig
from poorwill.config.run import Run
from poorwill.config.ssh import SshAccess
from poorwill.control.facts import Tenancy
from poorwill.core.model import Condition, OnRequest
from poorwill.errors import BadInput, StateError
from poorwill.providers.process import Options as ProcessOptions
from poorwill.providers.process import ProcessProvider
from poorwill.providers.registry import provider
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Event, Kind, Restored, RestoredInstance

READY = Event(1, 0.0, 0.0, "boot", Kind.READY, "gone", "gone-1")
ALIVE = Restored({"gone-1": RestoredInstance(outcome=READY)})


@pytest.fixture
def grounds(tmp_path: Path) -> Iterator[Grounds]:
    folder = StateFolder.open(tmp_path / "state")
    shells = Shells(lambda _machine: tmp_path, tmp_path, lambda _machine: {})
    yield Grounds(folder, tmp_path, lambda _service: None, lambda _service, _words: None, shells)
    folder.close()


def test_what_left_the_configuration_is_taken_over_as_it_ran(grounds: Grounds) -> None:
    memory = {"provider": "process", "options": {"command": ["true"], "stop_timeout": "3s"}}
    grounds.folder.remember_run("gone", memory)
    facts = leftover("gone", ALIVE, grounds)
    assert facts is not None
    assert [*facts.places] == ["gone-1"]


async def test_how_many_there_may_be_is_told_and_remembered(grounds: Grounds) -> None:
    """So that all are looked for, also once it has left the configuration."""
    lines = {"start": "true {number}", "stop": "true {number}", "status": "exit 3 # {number}"}
    run = Run("command", provider("command").Options.model_validate(lines))
    scale = {"max_instances": 3, "target": {"concurrency": 2}}
    config = {"run": run, "address": "127.0.0.1:910{number}", "scale_policy": scale}
    tenant = ServiceConfig.model_validate(config)
    tenant.be_called("gone", "UTC")
    remember(tenant, grounds)
    facts = leftover("gone", ALIVE, grounds)
    assert facts is not None
    names = ["gone-1", "gone-2", "gone-3"]
    assert [*facts.places] == names
    for host in (settle_in(tenant, grounds), facts.provider):
        assert [seen.instance for seen in await host.list()] == names
        await host.close()


def test_a_machine_that_left_the_configuration_can_still_be_logged_in_to(grounds: Grounds) -> None:
    run = Run("process", provider("process").Options.model_validate({"command": ["true"]}))
    machine = MachineConfig(run=run, ssh=SshAccess(host="192.0.2.7", user="me"))
    machine.be_called("gone", "UTC")
    remember(machine, grounds)
    facts = leftover("gone", ALIVE, grounds)
    assert facts is not None
    assert facts.tenancy is Tenancy.MACHINE
    assert grounds.shells.target("gone").host == "192.0.2.7"


def test_the_tunnel_of_what_left_the_configuration_is_closed_when_it_is_asleep(grounds: Grounds) -> None:
    memory = {"provider": "process", "options": {"command": ["true"]}}
    grounds.folder.remember_run("gone", memory)
    facts = leftover("gone", ALIVE, grounds)
    assert facts is not None
    assert facts.tunnel is None
    made = grounds.folder.instances_of("gone") / "tunnel"
    made.mkdir()
    (made / "made-for").write_text("somewhere")
    facts = leftover("gone", ALIVE, grounds)
    assert facts is not None
    assert facts.tunnel is not None


@pytest.mark.parametrize(("tenancy", "has_door"), [(Tenancy.JOB, False), (Tenancy.SERVICE, False)])
def test_what_still_runs_cannot_come_back_as_something_else(
    grounds: Grounds, tenancy: Tenancy, has_door: bool
) -> None:
    memory = {"provider": "process", "options": {"command": ["true"]}, "tenancy": str(tenancy)}
    grounds.folder.remember_run("notes", memory)
    facts = leftover("notes", Restored({"notes-1": RestoredInstance(outcome=READY)}), grounds)
    assert facts is not None
    facts.has_door = has_door
    with pytest.raises(BadInput, match="notes was removed, still runs"):
        check_return(facts, service("wake"), has_door=True)
    facts.has_door, facts.tenancy = True, Tenancy.SERVICE
    check_return(facts, service("wake"), has_door=True)


async def test_its_tunnel_is_closed_with_it(grounds: Grounds) -> None:
    folder = grounds.folder.instances_of("gone") / "tunnel"
    around = replace(_around("gone", grounds), service="gone.tunnel", folder=folder, address=None)
    earlier = ProcessProvider(ProcessOptions(command=("sleep", "600")), around)
    await earlier.start("tunnel", await earlier.prepare("tunnel"))
    (folder / "made-for").write_text("where it led")
    options = {"start": "true", "stop": "true"}
    grounds.folder.remember_run("gone", {"provider": "command", "options": options, "on": "gpu"})
    facts = leftover("gone", ALIVE, grounds)
    assert facts is not None
    assert facts.tunnel is not None
    assert [seen.condition for seen in await earlier.list()] == [Condition.RUNNING]
    await facts.tunnel.close()
    assert not [seen for seen in await earlier.list() if seen.condition is Condition.RUNNING]
    await earlier.close()


def test_what_did_not_run_is_forgotten(grounds: Grounds) -> None:
    assert leftover("gone", Restored(), grounds) is None


@pytest.mark.parametrize(
    "memory",
    [None, {}, {"provider": "process", "options": {"command": ["true"], "no": "such"}}, {"options": {}}],
    ids=["nothing", "empty", "other options", "no provider"],
)
def test_what_cannot_be_taken_over_is_not_passed_over(
    grounds: Grounds, memory: dict[str, Any] | None
) -> None:
    if memory is not None:
        grounds.folder.remember_run("gone", memory)
    with pytest.raises(StateError, match="gone is no longer in the configuration") as raised:
        leftover("gone", ALIVE, grounds)
    assert "put gone back" in raised.value.hint


def service(on_request: str) -> ServiceConfig:
    run = Run("process", provider("process").Options.model_validate({"command": ["x", "{port}"]}))
    made = ServiceConfig(run=run, on_request=on_request)
    made.be_called("notes", "UTC")
    return made


def left_with(kind: Kind) -> Restored:
    return Restored({"notes-1": RestoredInstance(intent=Event(1, 0.0, 0.0, "b", kind, "notes", "notes-1"))})


@pytest.mark.parametrize(
    ("on_request", "restored", "asked"),
    [
        ("page", left_with(Kind.START), ["notes"]),
        ("page", left_with(Kind.STOP), []),
        ("page", Restored(), []),
        ("wake", left_with(Kind.START), []),
        ("closed", left_with(Kind.START), []),
    ],
)
def test_a_start_that_somebody_clicked_for_goes_on(
    on_request: str, restored: Restored, asked: list[str]
) -> None:
    heard: list[str] = []
    made = door(service(on_request), heard.append)
    assert made.entrance == (OnRequest.WAKE if on_request == "wake" else None)
    resume(made, service(on_request), restored)
    assert heard == asked
