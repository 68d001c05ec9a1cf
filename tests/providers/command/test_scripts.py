"""Scripts as people have them: wrong, slow, loud, and started by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.providers.conformance import becomes, begin, end, sighted, until
from tests.providers.process_place import lives
from tests.providers.script_place import ScriptPlace

from poorwill.core.model import Condition
from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers.base import Surroundings
from poorwill.providers.command import CommandProvider, Options
from poorwill.providers.shell import service
from poorwill.providers.shell.service import ScriptProvider


async def failure(provider: ScriptProvider) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        await provider.start("a", {})
    return error.value


class TestStarts:
    async def test_one_that_hangs_is_ended(self, place: ScriptPlace) -> None:
        place.script("start", "#!/bin/sh\necho $$ > hung\necho loading\nsleep 600\n")
        error = await failure(place.provider(timeout="3s"))
        assert isinstance(error, Temporary)
        assert "did not end within 3 s" in str(error)
        assert "loading" in str(error)
        assert "background" in error.hint
        assert not lives(int((place.folder / "hung").read_text()))

    async def test_one_that_was_killed(self, place: ScriptPlace) -> None:
        place.script("start", "#!/bin/sh\necho loading the model\nexit 137\n")
        error = await failure(place.provider())
        assert isinstance(error, Temporary)
        assert "exit code 137: killed" in str(error)
        assert "memory" in str(error)
        assert "loading the model" in str(error)
        assert "loading the model" in await place.providers[-1].log_tail("a", 5)

    async def test_one_that_floods(self, place: ScriptPlace) -> None:
        text = Path(place.folder / "start.sh").read_text()
        place.script("start", f"{text}yes 0123456789abcdef | head -c 200000000\n")
        assert (await begin(place.provider(), "a")).condition is Condition.RUNNING
        assert sum(file.stat().st_size for file in place.state.iterdir()) < 210_000_000

    @pytest.mark.parametrize(
        ("start", "hint"),
        [
            ("./none.sh", "there is no ./none.sh"),
            ("./plain.sh", "chmod +x ./plain.sh"),
            ("sub/", "is a folder"),
            ("start.sh", "write ./start.sh"),
            ("no-such-command", "was not found"),
            ("./crlf.sh", "Windows line endings: sed -i 's/\\r$//' ./crlf.sh"),
            ("sh crlf.sh", "Windows line endings: sed -i 's/\\r$//' crlf.sh"),
        ],
    )
    async def test_one_that_cannot_run(self, place: ScriptPlace, start: str, hint: str) -> None:
        (place.folder / "sub").mkdir()
        place.script("plain", "#!/bin/sh\n").chmod(0o644)
        place.script("crlf", "#!/bin/sh\r\nif true; then\r\n  echo yes\r\nfi\r\n")
        error = await failure(place.provider(start=start))
        assert isinstance(error, Permanent)
        assert hint in error.hint

    async def test_an_interpreter_that_is_missing(self, place: ScriptPlace) -> None:
        place.script("start", "#!/opt/none/python3\n")
        error = await failure(place.provider())
        assert isinstance(error, Permanent)
        assert "#!/opt/none/python3" in error.hint

    async def test_a_script_that_ran_and_failed_is_no_matter_of_its_first_line(
        self, place: ScriptPlace
    ) -> None:
        place.script("start", "#!/bin/sh\nexit 4\n")
        assert "first line" not in (await failure(place.provider())).hint

    async def test_an_endless_line_is_shown_in_part(self, place: ScriptPlace) -> None:
        place.script("start", "#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x\nexit 4\n")
        await failure(place.provider())
        assert max(map(len, await place.providers[-1].log_tail("a", 5))) == 501

    async def test_a_folder_that_is_missing(self, place: ScriptPlace) -> None:
        with pytest.raises(ProviderError):  # nobody can ask status there
            await place.provider(cwd="none").list()
        error = await failure(place.provider(cwd="none", status=None))
        assert isinstance(error, Permanent)
        assert "does not exist" in error.hint

    async def test_a_path_with_spaces(self, place: ScriptPlace) -> None:
        provider = CommandProvider(
            Options(
                start="./my scripts/start.sh",
                stop="./my scripts/stop.sh",
                status="cd 'my scripts' && ./status.sh",
                env={"X": "1"},
            ),
            place.around(),
        )
        provider._cwd = str(place.folder.parent)
        place.providers.append(provider)
        for name in ("start", "stop"):
            file = place.folder / f"{name}.sh"
            place.script(name, file.read_text().replace("#!/bin/sh\n", '#!/bin/sh\ncd "$(dirname "$0")"\n'))
        await begin(provider, "a")
        await end(provider, "a")

    async def test_a_list_of_words(self, place: ScriptPlace) -> None:
        place.script("start", f'{(place.folder / "start.sh").read_text()}\nprintf "%s," "$@" > words\n')
        await begin(place.provider(start=["./start.sh", "two words", "$HOME", 7]), "a")
        assert (place.folder / "words").read_text() == "two words,$HOME,7,"

    async def test_the_service_is_not_ended_with_us(self, place: ScriptPlace) -> None:
        provider = place.provider()
        await begin(provider, "a")
        await provider.close()
        assert lives(place.pid("a"))

    async def test_what_comes_up_late_is_noticed_at_once(
        self, place: ScriptPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "APPEARS_WITHIN", 30.0)
        place.script("start", "#!/bin/sh\n(sleep 0.5; sleep 1000 & echo $! > a.pid) >/dev/null 2>&1 &\n")
        provider = place.provider()
        await provider.start("a", {})
        seen = await sighted(provider, "a")
        assert seen is not None
        assert seen.condition is Condition.STARTING
        before = place.changes
        await until(lambda: place.changes > before, "changed was called")
        assert (await becomes(provider, "a", Condition.RUNNING)).life == seen.life
        assert place.notes == []

    async def test_what_never_comes_up_is_absent(
        self, place: ScriptPlace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(service, "APPEARS_WITHIN", 0.3)
        place.script("start", "#!/bin/sh\nexit 0\n")
        provider = place.provider()
        await provider.start("a", {})
        gone = await becomes(provider, "a", Condition.ABSENT)
        assert "was not there after its start" in gone.detail

    async def test_killed_in_the_middle_it_starts_once(self, place: ScriptPlace) -> None:
        """Another life of the control plane begins while the script of the earlier one still runs."""
        await place.slow_start(1)
        first = place.provider()
        starting = asyncio.create_task(first.start("a", {}))
        await until((place.state / "a.log.job").exists, "the script runs")
        second = place.provider()
        await second.adopt({})
        seen = await sighted(second, "a")
        assert seen is not None
        assert seen.condition is Condition.STARTING
        assert await second.start("a", {}) == await starting
        assert place.starts() == ["a"]


class TestStops:
    async def test_a_stop_that_fails_says_why(self, place: ScriptPlace) -> None:
        provider = place.provider()
        await begin(provider, "a")
        await place.refuse_stop()
        with pytest.raises(Temporary, match="exit code 6: it does not want to"):
            await provider.stop("a")

    async def test_a_stop_that_fails_and_works_is_none(self, place: ScriptPlace) -> None:
        provider = place.provider(stop="./stop.sh; exit 9")
        await begin(provider, "a")
        await provider.stop("a")
        await becomes(provider, "a", Condition.ABSENT)

    async def test_a_stop_that_hangs_is_ended(self, place: ScriptPlace) -> None:
        provider = place.provider(stop_timeout="1s")
        await begin(provider, "a")
        await place.hang_stop()
        with pytest.raises(Temporary, match="did not end within 1 s") as error:
            await provider.stop("a")
        assert "stop_timeout" in error.value.hint


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": ""},
        {"start": []},
        {"start": [1.5]},
        {"start": "a\0b"},
        {"stop": None},
        {"env": {"A B": "x"}},
        {"env": {"POORWILL_INSTANCE": "x"}},
        {"status_codes": {3: "perhaps"}},
        {"timeout": "0s"},
    ],
)
def test_options_that_cannot_be(wrong: Mapping[str, object]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate({"start": "./a", "stop": "./b", **wrong})


def test_options_outlive_json() -> None:
    options = Options.model_validate(
        {"start": ["./a b", "c"], "stop": "./b", "status_codes": {2: "stopped"}, "timeout": "5m"}
    )
    assert Options.model_validate(options.model_dump(mode="json")) == options


async def test_what_ran_on_a_machine_that_went_away_is_not_remembered_as_running(tmp_path: Path) -> None:
    around = Surroundings("gateway", "s", tmp_path / "state", tmp_path, lambda: None)
    options = Options(start="true", stop="true")  # nothing tells whether it runs but that it was started
    provider = CommandProvider(options, around)
    first = await begin(provider, "s-1")
    await provider.lost()
    await becomes(provider, "s-1", Condition.ABSENT)
    later = CommandProvider(options, around)
    await later.adopt({})
    await becomes(later, "s-1", Condition.ABSENT)
    assert (await begin(later, "s-1")).life != first.life
    await provider.close()
    await later.close()
