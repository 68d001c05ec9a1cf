from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError
from tests.providers.conformance import (
    DEADLINE,
    ProviderConformance,
    becomes,
    begin,
    condition_of,
    refused,
    sees,
    through_json,
    until,
)
from tests.providers.fake_place import FakePlace

from poorwill import clock
from poorwill.core.model import Condition
from poorwill.errors import NoCapacity, Permanent, Temporary
from poorwill.providers.base import Sighting
from poorwill.providers.fake import FakeProvider, Options
from poorwill.providers.fake.options import MOODS


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[FakePlace]:
    place = FakePlace(tmp_path)
    yield place
    await place.close()


class TestConformance(ProviderConformance):
    pass


class TestConformanceOfACloud(ProviderConformance):
    """Every call takes its time, stops are accepted and done later, and ``list`` lags behind."""

    @pytest.fixture
    async def place(self, tmp_path: Path) -> AsyncIterator[FakePlace]:
        slow = {"start_takes": "20ms", "stop_takes": "50ms", "list_lag": "40ms", "call_takes": "5ms"}
        place = FakePlace(tmp_path, **slow, stops=["later"])
        yield place
        await place.close()


async def start(provider: FakeProvider) -> object:
    return await provider.start("a", await provider.prepare("a"))


async def asked(sighting: Sighting, path: str) -> httpx2.Response:
    """The answer of an instance, as soon as it gives one."""
    async with httpx2.AsyncClient(trust_env=False, timeout=DEADLINE) as client, asyncio.timeout(DEADLINE):
        while True:
            try:
                return await client.get(f"http://{sighting.address}{path}")
            except httpx2.ConnectError:
                await asyncio.sleep(0.02)


class TestOptions:
    def test_a_mood_fills_in_what_is_left_out(self) -> None:
        assert Options().starts == ("ok",)
        assert Options().start_takes == 0.0
        cloud = Options(mood="cloud")
        assert (cloud.start_takes, cloud.stops) == (20.0, ("later",))
        assert Options.model_validate({"mood": "cloud", "start_takes": "1s"}).start_takes == 1.0

    @pytest.mark.parametrize("mood", MOODS)
    def test_a_mood_survives_being_written_down(self, mood: str) -> None:
        options = Options.model_validate({"mood": mood, "exit_code": 3})
        assert Options.model_validate(options.model_dump(mode="json")) == options

    def test_every_mood_says_the_same_keys(self) -> None:
        assert len({frozenset(keys) for keys in MOODS.values()}) == 1
        assert Options().model_dump() == Options.model_validate({"mood": "kind"}).model_dump()

    def test_the_kind_mood_is_what_the_reference_says(self) -> None:
        bare = {name: field.default for name, field in Options.model_fields.items()}
        assert Options().model_dump() == bare

    @pytest.mark.parametrize(
        "wrong", [{"mood": "cross"}, {"starts": []}, {"stops": ["refused"]}, {"exit_code": 256}]
    )
    def test_what_cannot_be_is_refused(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ValidationError):
            Options.model_validate(wrong)


class TestStarts:
    @pytest.mark.parametrize(
        ("outcome", "error", "words"),
        [
            ("error", Temporary, "500"),
            ("refused", Permanent, "no such machine type"),
            ("no_capacity", NoCapacity, "no GPU in stock"),
            ("lost", Temporary, "not known"),
        ],
    )
    async def test_one_that_fails(
        self, place: FakePlace, outcome: str, error: type[Exception], words: str
    ) -> None:
        with pytest.raises(error, match=words) as caught:
            await start(place.provider(starts=[outcome]))
        assert "on purpose" in caught.value.hint  # type: ignore[attr-defined]
        assert getattr(caught.value, "delay", None) == (30.0 if outcome == "no_capacity" else None)
        assert (place.pids() != set()) is (outcome == "lost")

    async def test_the_outcomes_come_in_turn_and_a_restart_goes_on(self, place: FakePlace) -> None:
        turns = ["no_capacity", "ok", "error"]
        provider = place.provider(starts=turns)
        with pytest.raises(NoCapacity):
            await start(provider)
        await start(provider)
        await start(provider)  # it runs: nothing is drawn
        await provider.stop("a")
        with pytest.raises(Temporary, match="500"):
            await start(place.provider(starts=turns))
        with pytest.raises(NoCapacity):
            await start(provider)

    async def test_one_that_comes_to_nothing(self, place: FakePlace) -> None:
        provider = place.provider(starts=["nothing"])
        await start(provider)
        assert await provider.list() == []
        assert place.pids() == set()

    async def test_one_that_dies(self, place: FakePlace) -> None:
        provider = place.provider(starts=["dies"])
        await start(provider)
        over = await sees(provider, "a", lambda seen: seen.exit_code is not None, "over")
        assert (over.condition, over.exit_code) == (Condition.ABSENT, 1)

    async def test_one_that_hangs_does_nothing(self, place: FakePlace) -> None:
        provider = place.provider(starts=["hang", "ok"])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await start(provider)
        assert place.pids() == set()
        await begin(provider, "a")


class TestInstances:
    async def test_answers_and_takes_its_time_first(self, place: FakePlace) -> None:
        began = clock.now().mono
        seen = await begin(place.provider(answers_after="300ms"), "a")
        answer = await asked(seen, "/any?thing")
        assert clock.now().mono - began >= 0.3
        assert answer.json() == {"instance": "a", "method": "GET", "path": "/any?thing"}

    async def test_a_clock_that_is_set_back_keeps_nobody_waiting(
        self, place: FakePlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        provider = place.provider(start_takes="100ms", answers_after="100ms")
        now = clock.now
        monkeypatch.setattr(clock, "now", lambda: replace(now(), wall=now().wall + 3600))
        await provider.start("a", await provider.prepare("a"))
        monkeypatch.undo()
        seen = await sees(provider, "a", lambda seen: seen.condition is Condition.RUNNING, "running")
        assert (await asked(seen, "/")).status_code == 200

    async def test_can_be_asked_to_crash(self, place: FakePlace) -> None:
        provider = place.provider()
        seen = await begin(provider, "a")
        with pytest.raises(httpx2.TransportError):
            await asked(seen, "/crash?code=7")
        over = await sees(provider, "a", lambda now: now.exit_code is not None, "over")
        assert over.exit_code == 7

    async def test_need_not_answer(self, place: FakePlace) -> None:
        provider = place.provider(serve=False)
        assert (await begin(provider, "a")).address is None
        assert not Options(serve=False).gives_address
        assert Options().gives_address


class TestRoom:
    async def test_there_is_none_for_a_third(self, place: FakePlace) -> None:
        provider = place.provider(capacity=2, starts=["ok"])
        names = place.instances
        prepared = [await provider.prepare(name) for name in names]
        started = await asyncio.gather(*map(provider.start, names, prepared), return_exceptions=True)
        (refusal,) = [answer for answer in started if isinstance(answer, BaseException)]
        assert isinstance(refusal, NoCapacity)
        assert refusal.delay == 30.0
        up = [seen.instance for seen in await provider.list() if seen.condition is Condition.RUNNING]
        assert len(up) == 2
        await provider.stop(up[0])
        (third,) = set(names) - set(up)
        await begin(provider, third)

    async def test_a_note_of_one_is_not_lost_by_a_stop_of_another(self, place: FakePlace) -> None:
        a, b, _ = place.instances
        provider = place.provider(start_takes="10s")
        await provider.start(a, await provider.prepare(a))
        await asyncio.gather(provider.stop(a), provider.start(b, await provider.prepare(b)))
        assert await condition_of(provider, b) is Condition.STARTING


class TestStops:
    @pytest.mark.parametrize("outcome", ["nothing", "error"])
    async def test_one_that_does_not_stop(self, place: FakePlace, outcome: str) -> None:
        provider = place.provider(stops=[outcome, "ok"])
        await begin(provider, "a")
        assert (await refused(provider.stop("a")) is None) is (outcome == "nothing")
        assert await condition_of(provider, "a") is Condition.RUNNING
        await provider.stop("a")
        assert await condition_of(provider, "a") is Condition.ABSENT

    async def test_one_whose_answer_was_lost_was_done(self, place: FakePlace) -> None:
        provider = place.provider(stops=["lost"])
        await begin(provider, "a")
        with pytest.raises(Temporary):
            await provider.stop("a")
        assert await condition_of(provider, "a") is Condition.ABSENT

    async def test_one_that_takes_its_time_outlives_a_restart(self, place: FakePlace) -> None:
        provider = place.provider(stops=["later"], stop_takes="3s")
        seen = await begin(provider, "a")
        await provider.stop("a")
        assert await condition_of(provider, "a") is Condition.STOPPING
        with pytest.raises(Temporary, match="still being stopped"):
            await start(provider)
        restarted = place.provider()
        await restarted.adopt({"a": through_json(seen.handle)})
        assert await condition_of(restarted, "a") is Condition.STOPPING
        await becomes(restarted, "a", Condition.ABSENT)
        assert place.pids() == set()

    async def test_somebody_elses_stop_is_named(self, place: FakePlace) -> None:
        provider = place.provider()
        await place.stop_outside(await begin(provider, "a"))
        await becomes(provider, "a", Condition.ABSENT)
        assert place.notes == [f"somebody else ended a: killed by signal {signal.SIGTERM.value} (SIGTERM)"]


class TestWeather:
    async def test_it_is_dark_now_and_then(self, place: FakePlace) -> None:
        provider = place.provider(dark_every="1500ms", dark_for="500ms")
        assert await refused(provider.list()) is None
        for _ in range(2):
            async with asyncio.timeout(DEADLINE):
                while await refused(provider.list()) is None:
                    await asyncio.sleep(0.01)
                while await refused(provider.list()) is not None:
                    await asyncio.sleep(0.01)

    async def test_a_mood_in_the_file_replaces_the_one_in_the_options(self, place: FakePlace) -> None:
        provider = place.provider(mood="awful")
        place.weather(mood="kind")
        await begin(provider, "a")
        await provider.stop("a")
        assert await condition_of(provider, "a") is Condition.ABSENT

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("dark: [", "parsing"),
            ("dark", "must hold keys"),
            ("drak: true", "drak"),
            ("starts: [okay]", "starts"),
            ("start_takes: soon", "start_takes"),
        ],
    )
    async def test_a_file_that_cannot_be_used_is_an_error(
        self, place: FakePlace, text: str, why: str
    ) -> None:
        provider = place.provider()
        (place.folder / "weather.json").write_text(text)
        with pytest.raises(Permanent, match=why) as caught:
            await provider.list()
        assert str(place.folder / "weather.json") in str(caught.value)
        await place.mend()
        await provider.list()

    async def test_a_book_that_cannot_be_read_is_an_error(self, place: FakePlace) -> None:
        provider = place.provider()
        await begin(provider, "a")
        book = place.folder / "state" / "fake.json"
        book.write_text("{")
        with pytest.raises(Permanent, match=r"fake\.json"):
            await provider.list()
        book.unlink()
        await until(lambda: place.pids() != set(), "it still runs")
        assert await condition_of(provider, "a") is Condition.RUNNING

    async def test_who_was_configured_anew_takes_its_own_past_for_nobodys_start(
        self, place: FakePlace
    ) -> None:
        """A changed configuration makes another object, which takes over when all is over."""
        before = place.provider()
        await begin(before, "a")
        await before.stop("a")
        await becomes(before, "a", Condition.ABSENT)
        after = place.provider(mood="kind")
        assert await condition_of(after, "a") is Condition.ABSENT
        assert place.notes == []
        await place.start_outside("a")
        await after.list()
        assert place.notes == ["somebody else started a"]
