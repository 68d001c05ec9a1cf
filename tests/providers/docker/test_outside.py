"""What others do to containers is noticed at once, and told: who, and how."""

from __future__ import annotations

import pytest
from tests.docker_engine import DockerEngine
from tests.providers.conformance.waiting import becomes, begin, until
from tests.providers.docker_place import DockerPlace

from poorwill.core.model import Condition
from poorwill.providers.docker import DockerProvider, events


async def running(place: DockerPlace, *options: str) -> tuple[DockerProvider, str]:
    """A provider, and its container ``a`` that runs."""
    name = place.create("a", *options)
    provider = place.provider()
    await begin(provider, "a")
    place.notes.clear()
    return provider, name


@pytest.mark.parametrize(
    ("command", "note", "detail"),
    [
        ("stop", "somebody else stopped the container {name} (docker stop)", "somebody else stopped it"),
        ("kill", "the container {name} was killed (signal 9) outside Poorwill", "somebody else killed it"),
        (
            "kill --signal TERM",
            "the container {name} was ended outside Poorwill: signal 15",
            "signal 15: exit code 0",
        ),
        ("pause", "somebody else paused the container {name} (docker pause)", "paused"),
        ("rm --force", "somebody else removed the container {name}", ""),
    ],
)
async def test_what_ends_it(docker_place: DockerPlace, command: str, note: str, detail: str) -> None:
    provider, name = await running(docker_place)
    docker_place.engine.run(*command.split(), name)
    seen = await becomes(provider, "a", Condition.ABSENT)
    await until(lambda: note.format(name=name) in docker_place.notes, f"{note}: {docker_place.notes}")
    if detail:
        seen = await becomes(provider, "a", Condition.ABSENT)
        assert detail in seen.detail


async def test_a_restart_is_told_as_what_it_is(docker_place: DockerPlace) -> None:
    _, name = await running(docker_place)
    docker_place.engine.run("restart", name)
    await until(lambda: docker_place.heard("somebody else started"), "a note of the start")
    assert docker_place.heard("somebody else stopped")


async def test_what_poorwill_does_itself_is_no_news(docker_place: DockerPlace) -> None:
    provider, name = await running(docker_place)
    await provider.stop("a")
    await becomes(provider, "a", Condition.ABSENT)
    await begin(provider, "a")
    docker_place.engine.run("kill", name)
    await until(lambda: docker_place.notes, "a note")
    assert docker_place.notes == [f"the container {name} was killed (signal 9) outside Poorwill"]


async def test_docker_starts_a_crashed_one_again(docker_place: DockerPlace) -> None:
    provider, name = await running(docker_place, "--restart", "unless-stopped")
    first = await becomes(provider, "a", Condition.RUNNING)
    await docker_place.crash(first)
    await until(
        lambda: docker_place.heard(name, "ended by itself: exit code 137", "restart: unless-stopped says"),
        "a note of the end",
    )
    await until(lambda: docker_place.heard("or Docker did, as restart: unless-stopped says"), "of the start")
    assert (await becomes(provider, "a", Condition.RUNNING)).life != first.life


@pytest.mark.parametrize(
    ("policy", "mode", "fights"),
    [
        ("no", "stop", ""),
        ("unless-stopped", "stop", ""),
        ("unless-stopped", "kill", ""),
        ("always", "stop", "whenever the Docker Engine starts"),
        ("on-failure", "kill", "if its last exit code was not 0"),
        ("unless-stopped", "pause", "though it was paused"),
    ],
)
async def test_a_policy_that_fights_with_sleep_is_told_once(
    docker_place: DockerPlace, policy: str, mode: str, fights: str
) -> None:
    name = docker_place.create("a", "--restart", policy)
    provider = docker_place.provider(stop=mode)
    await provider.list()
    await provider.list()
    if fights:
        (note,) = docker_place.notes
        assert note.startswith(f"restart: {policy} of the container {name} fights with sleep: ")
        assert fights in note
    else:
        assert docker_place.notes == []


async def test_a_start_does_not_wait_until_an_engine_that_was_away_is_heard_again(
    docker_place: DockerPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_AGAIN", "LAST_AGAIN"):
        monkeypatch.setattr(events, name, 600.0)
    provider, name = await running(docker_place)
    await provider.stop("a")
    await becomes(provider, "a", Condition.ABSENT)
    before = docker_place.changes
    await docker_place.go_dark()
    await until(lambda: docker_place.changes > before, "the break was noticed")
    await docker_place.mend()
    await begin(provider, "a")
    docker_place.engine.run("kill", name)
    await until(lambda: docker_place.heard("was killed (signal 9) outside Poorwill"), "a note of the end")
    assert not docker_place.heard("somebody else started")


class TestAnEngineThatIsRestarted:
    """An engine of its own: the others would feel it."""

    @pytest.mark.slow
    async def test_policies_do_what_is_said_of_them_and_the_stream_goes_on(
        self, docker_engine: DockerEngine, docker_place: DockerPlace
    ) -> None:
        policies = ("no", "always", "unless-stopped", "on-failure")
        for policy in policies:
            docker_place.create(f"stop.{policy}", "--restart", policy, command="exec sleep 1000")
        docker_place.create("pause.unless-stopped", "--restart", "unless-stopped")
        sleeper = docker_place.provider(stop_timeout="0s")
        pauser = docker_place.provider(stop="pause")
        for policy in policies:
            await begin(sleeper, f"stop.{policy}")
            await sleeper.stop(f"stop.{policy}")
        await begin(pauser, "pause.unless-stopped")
        await pauser.stop("pause.unless-stopped")
        docker_place.notes.clear()
        docker_engine.stop()
        docker_engine.start()
        states = {seen.instance: seen.condition for seen in await sleeper.list()}
        assert states == {
            "stop.no": Condition.ABSENT,
            "stop.always": Condition.RUNNING,
            "stop.unless-stopped": Condition.ABSENT,
            "stop.on-failure": Condition.RUNNING,
            "pause.unless-stopped": Condition.RUNNING,
        }
        before = docker_place.changes
        docker_place.engine.run("kill", f"{docker_place.name}-stop.always")
        await until(lambda: docker_place.changes > before, "the stream goes on")
        await until(lambda: docker_place.heard("stop.always", "was killed (signal 9)"), "a note")


async def test_a_life_after_a_pause_keeps_its_name_in_the_next_life_of_the_control_plane(
    docker_place: DockerPlace,
) -> None:
    """Else what Poorwill is about to stop would pass for what somebody else started, and the reverse."""
    docker_place.create("a")
    before = docker_place.provider(stop="pause")
    await begin(before, "a")
    await before.stop("a")
    paused = await becomes(before, "a", Condition.ABSENT)
    handle = await before.start("a", {})
    life = (await becomes(before, "a", Condition.RUNNING)).life
    assert life != paused.life
    after = docker_place.provider(stop="pause")
    await after.adopt({"a": handle})
    assert (await becomes(after, "a", Condition.RUNNING)).life == life
    await after.stop("a")
    later = docker_place.provider(stop="pause")
    await later.adopt({})
    await becomes(later, "a", Condition.ABSENT)
    docker_place.engine.run("unpause", f"{docker_place.name}-a")
    await until(lambda: docker_place.heard("a", "docker unpause"), "a note")
    assert (await becomes(later, "a", Condition.RUNNING)).life not in (life, paused.life)
