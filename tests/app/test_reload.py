"""What a changed configuration does to what goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poorwill import clock
from poorwill.app.reload import Changes, amend, check_return, compare, retire, revive, successor
from poorwill.app.shells import Shells
from poorwill.app.tenants import Grounds, charge, leftover
from poorwill.config import ServiceConfig, Settings
from poorwill.config.load import load
from poorwill.core.model import Now
from poorwill.errors import BadInput
from poorwill.providers.registry import provider
from poorwill.store.folder import StateFolder
from poorwill.store.journal import Event, Kind, Restored, RestoredInstance

TEN_O_CLOCK = 1_800_007_200.0 - 1_800_007_200.0 % 86400 + 10 * 3600


def job(folder: Path, start: str, missed: str) -> ServiceConfig:
    run = "run: {process: {command: [x]}}"
    schedule = f"schedule: {{start: '{start}', until: done, missed: {missed}}}"
    file = folder / "poorwill.yaml"
    file.write_text(f"timezone: UTC\nservices:\n  night:\n    {run}\n    {schedule}\n")
    return load(file, {"process": provider("process").Options}, {}).services["night"]


@pytest.mark.parametrize("missed", ["run", "skip"])
@pytest.mark.parametrize(
    ("settled", "start", "counts"),
    [
        (2, "0 9 * * *", True),  # its hour had passed when it was written
        (2, "0 11 * * *", False),
        (2, "0 2 * * *", False),
        (-22, "0 9 * * *", False),  # the run of 02:00 is under way or due, and goes on being so
    ],
)
def test_a_new_schedule_does_not_make_up_for_hours_from_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missed: str, settled: int, start: str, counts: bool
) -> None:
    monkeypatch.setattr(clock, "now", lambda: Now(wall=TEN_O_CLOCK, mono=5_000.0, boot="boot"))
    folder = StateFolder.open(tmp_path / "state")
    shells = Shells(lambda _machine: tmp_path, tmp_path, lambda _machine: {})
    grounds = Grounds(folder, tmp_path, lambda _service: None, lambda _service, _words: None, shells)
    facts = charge(job(tmp_path, "0 2 * * *", missed), Restored(), grounds, has_door=False)
    facts.last_run = TEN_O_CLOCK + (settled - 10) * 3600
    after = job(tmp_path, start, missed)
    entry = amend(facts, after, successor(after, grounds))
    folder.close()
    assert (entry is not None) == counts
    if entry is not None:
        assert entry.kind is Kind.SKIPPED
        assert facts.last_run == entry.detail["last_run"] == TEN_O_CLOCK - 3600


TWO = """
machines: {gpu: {command: {start: "true", stop: "true"}}}
services:
  a: {hosts: [a.test], run: {process: {command: [x, "{port}"]}}}
  b: {hosts: [b.test], run: {process: {command: [x, "{port}"]}}}
"""
MODELS = {name: provider(name).Options for name in ("process", "command", "machine")}


def settings(folder: Path, text: str) -> Settings:
    file = folder / "poorwill.yaml"
    file.write_text(text)
    return load(file, MODELS, {})


def test_what_changed_is_named(tmp_path: Path) -> None:
    after = (
        TWO.replace("  b:", "  c:").replace("a.test", "z.test").replace("gpu: {", "gpu: {idle_after: 1m, ")
    )
    changes = compare(settings(tmp_path, TWO), settings(tmp_path, after))
    assert (changes.added, changes.removed, changes.changed) == (("c",), ("b",), ("a", "gpu"))
    assert compare(settings(tmp_path, TWO), settings(tmp_path, TWO)) == Changes((), (), ())


def test_a_budget_for_everything_changes_everything(tmp_path: Path) -> None:
    """Its rules are renewed at once; else a larger budget would open nothing before a restart."""
    before, after = (f"budget: {{hours: {hours}}}\n{TWO}" for hours in (5, 6))
    changes = compare(settings(tmp_path, before), settings(tmp_path, after))
    assert changes.changed == ("a", "b", "gpu")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            '  b: {hosts: [b.test], run: {process: {command: [x, "{port}"]}}}\n',
            '  b: {run: {process: {command: [x]}}, schedule: {start: "0 6 * * *", until: done}}\n',
            "b cannot",
        ),
        (
            "gpu:",
            "b:",
            "b cannot change from a service to a machine while Poorwill runs",
        ),
        ("machines:", "listen: 127.0.0.1:7\nmachines:", "listen cannot change while Poorwill runs"),
    ],
    ids=["service to job", "service to machine", "listen"],
)
def test_what_needs_another_start_is_refused(tmp_path: Path, before: str, after: str, message: str) -> None:
    changed = TWO.replace(before, after)
    assert changed != TWO
    if after == "b:":
        changed = changed.replace("  b: {hosts", "  c: {hosts")
    with pytest.raises(BadInput, match=message) as raised:
        compare(settings(tmp_path, TWO), settings(tmp_path, changed))
    assert raised.value.hint


@pytest.mark.parametrize("job_first", [True, False])
def test_who_comes_back_as_something_else_has_to_wait(tmp_path: Path, job_first: bool) -> None:
    """What was removed and still runs is put to sleep as what it was."""
    one, other = settings(tmp_path, TWO).services["b"], job(tmp_path, "0 6 * * *", "run")
    gone, fresh = (other, one) if job_first else (one, other)
    folder = StateFolder.open(tmp_path / "state")
    shells = Shells(lambda _machine: tmp_path, tmp_path, lambda _machine: {})
    grounds = Grounds(folder, tmp_path, lambda _service: None, lambda _service, _words: None, shells)
    facts = charge(gone, Restored(), grounds, has_door=not job_first)
    retire(facts)
    with pytest.raises(BadInput, match="would come back as something else"):
        check_return(facts, fresh, has_door=job_first)
    check_return(facts, gone, has_door=not job_first)
    revive(facts)
    folder.close()
    assert (facts.retired, facts.closed_to, facts.hand) == (False, "", None)


def on_gpu(folder: Path, gpu: str) -> ServiceConfig:
    run = 'run: {process: {command: [x, "{port}"]}}'
    text = f"gpus: {{0: {{memory: 24GB}}, 1: {{memory: 24GB}}}}\nservices:\n  a:\n    {run}\n    gpu: {gpu}\n"
    file = folder / "poorwill.yaml"
    file.write_text(text)
    return load(file, {"process": provider("process").Options}, {}).services["a"]


@pytest.mark.parametrize(
    ("after", "at_once"),
    [
        ("{name: 0, memory: 5GB, priority: 3, min_awake: 1m}", True),
        ("{name: 0, memory: 6GB, priority: 3, min_awake: 1m}", False),
        ("{name: 1, memory: 5GB, priority: 3, min_awake: 1m}", False),
        ("0", False),
    ],
)
def test_what_is_taken_of_a_gpu_changes_with_the_next_wake_and_the_rank_at_once(
    tmp_path: Path, after: str, at_once: bool
) -> None:
    folder = StateFolder.open(tmp_path / "state")
    shells = Shells(lambda _machine: tmp_path, tmp_path, lambda _machine: {})
    grounds = Grounds(folder, tmp_path, lambda _service: None, lambda _service, _words: None, shells)
    before, then = on_gpu(tmp_path, "{name: 0, memory: 5GB}"), on_gpu(tmp_path, after)
    facts = charge(before, Restored(), grounds, has_door=True)
    amend(facts, then, successor(then, grounds))
    assert facts.seat is not None
    assert facts.seat.share == (then if at_once else before).share
    facts.succeed()
    assert facts.seat.share == then.share
    left = replace(
        Restored(),
        instances={"a-1": RestoredInstance(intent=Event(1, 0.0, 0.0, "boot", Kind.STOP, "a", "a-1"))},
    )
    forgotten = leftover("a", left, grounds)
    folder.close()
    assert forgotten is not None
    assert forgotten.seat is not None
    assert forgotten.seat.share == then.share, "what left the configuration keeps its place until it is gone"
