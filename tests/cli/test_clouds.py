from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from tests.providers.http.cloud import TOKEN, FakeCloud
from typer.testing import CliRunner, Result

from poorwill.cli.entry import app
from poorwill.errors import BadInput
from poorwill.providers.http.library import shipped

RUNNER = CliRunner()


def run(*words: str, **env: str) -> Result:
    return RUNNER.invoke(app, ["clouds", *words], env=env)


def test_every_cloud_is_listed() -> None:
    said = run()
    assert said.exit_code == 0
    assert [line.split()[0] for line in said.stdout.splitlines()[1:16]] == list(shipped())
    rows = json.loads(run("--json").stdout)
    assert rows["lambda"]["saves"] == "destroys"
    assert rows["runpod"]["sources"]


def test_one_is_shown() -> None:
    said = run("show", "compshare").stdout
    for words in (
        "option region",
        "never called live",
        "unsure: ",
        "source: ",
        "{ssh_port}",
        "timer: can be used",
    ):
        assert words in said


def test_the_schema_is_one() -> None:
    assert "properties" in json.loads(run("schema").stdout)


async def asked(fake: FakeCloud, *words: str, token: str = TOKEN) -> Result:
    """The command blocks: it has a loop of its own."""
    given = ["try", *words, "--url", fake.url, "--token-env", "KEY"]
    return await asyncio.to_thread(run, *given, KEY=token)


@pytest.mark.parametrize("dialect", ["autodl", "vast", "hyperstack"])
async def test_trying_only_reads(dialect: str) -> None:
    async with FakeCloud(dialect) as fake:
        fake.power_on(fake.machines["a"])
        await asyncio.sleep(0)
        said = await asked(fake, dialect, "--instance", "a")
        assert said.exit_code == 0
        assert "list: 3 understood" in said.stdout
        assert "b: off" in said.stdout
        assert "a: running" in said.stdout
        assert "{host} = 127.0.0.1" in said.stdout
        assert TOKEN not in said.output
        assert fake.asked("start") == fake.asked("stop") == 0
        assert {fake.dialect.understands(call)[0] for call in fake.calls} <= {"list", "status", "details"}
        found = json.loads((await asked(fake, dialect, "--instance", "a", "--json")).stdout)
        assert found[1]["instances"]["a"]["condition"] == "running"


async def test_what_goes_wrong_is_shown_and_the_next_call_made_all_the_same() -> None:
    async with FakeCloud() as fake:
        fake.weather.broken = 1
        said = await asked(fake, "autodl", "--instance", "a")
        assert said.exit_code == 1
        assert "list: AutoDL did not list the instances (HTTP 500)" in said.stdout
        assert "a: off, the cloud says shutdown" in said.stdout
        said = await asked(fake, "autodl", token="wrong-token")
        assert "developer token" in said.stdout
        assert "wrong-token" not in said.output
        fake.becomes(fake.machines["a"], "sulking")
        said = await asked(fake, "autodl", "--instance", "a")
        assert "a: unknown, the cloud says sulking" in said.stdout


async def test_a_description_of_ones_own(tmp_path: Path) -> None:
    from importlib.resources import files

    text = files("poorwill.providers.http").joinpath("clouds", "vast.yaml").read_text()
    (tmp_path / "mine.yaml").write_text(text)
    async with FakeCloud("vast") as fake:
        assert (await asked(fake, str(tmp_path / "mine.yaml"), "--instance", "b")).exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["try", "autodl"], "wants a token"),
        (["try", "autodl", "--token-env", "NO_SUCH"], "no variable NO_SUCH"),
        (["try", "autodll"], "no description"),
        (["try", "tensordock", "--token-env", "KEY"], "cannot list"),
        (["try", "verda", "--token-env", "KEY"], "wants client_id"),
        (["try", "verda", "--token-env", "KEY", "--option", "cient_id=1"], "no option 'cient_id'"),
        (["show", "nowhere.yaml"], "no such file"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], said: str, tmp_path: Path) -> None:
    result = run(*words, KEY="x")
    assert isinstance(result.exception, BadInput)
    assert said in str(result.exception)
