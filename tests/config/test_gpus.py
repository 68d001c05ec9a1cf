"""GPUs in poorwill.yaml: what is wrong and where, and what each service has of which card."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.config.reading import ProblemsOf, SettingsOf, wrong_files
from tests.config.test_machine import GOOD
from tests.config.test_machine import settings as with_machines

from poorwill.core.share import MIN_AWAKE, Card, Share
from poorwill.errors import ConfigError

loading = sys.modules["poorwill.config.load"]  # beside the function of that name
GB = 10**9
RUN = "run: {process: {command: [x, '{port}']}}"


@pytest.fixture(autouse=True)
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the tests run."""
    monkeypatch.setattr(loading, "gpu_memory", dict)


@pytest.mark.parametrize(("text", "expected"), list(wrong_files(Path(__file__).with_name("wrong_gpus.txt"))))
def test_every_problem_once_with_its_place(problems_of: ProblemsOf, text: str, expected: list[str]) -> None:
    found = [str(problem).removeprefix(f"{problem.file}:") for problem in problems_of(text)]
    assert found == [line for line in expected if line]


def test_what_each_has_of_which_card(settings_of: SettingsOf) -> None:
    found = settings_of(f"""
gpus: {{0: {{memory: 24GB}}, 1: {{memory: 16 GiB}}}}
services:
  alone: {{hosts: [a.test], {RUN}, gpu: 0}}
  part: {{hosts: [b.test], {RUN}, gpu: {{name: 0, memory: 1.5GB, priority: 2, min_awake: 1m}}}}
  both: {{hosts: [c.test], {RUN}, gpu: [0, 1]}}
  none: {{hosts: [d.test], {RUN}}}
""").services
    first, second = Card("0", memory=24 * GB), Card("1", memory=16 * 2**30)
    assert found["alone"].share == Share((first,), None, 0, MIN_AWAKE)
    assert found["part"].share == Share((first,), 1_500_000_000, 2, 60.0)
    assert found["both"].share == Share((first, second))
    assert found["none"].share is None


def test_nobody_is_asked_unless_it_matters(settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def told() -> dict[str, int]:
        asked.append(True)
        return {"0": 24 * GB, "1": 8 * GB}

    monkeypatch.setattr(loading, "gpu_memory", told)
    assert settings_of(f"services: {{a: {{{RUN}, gpu: 5}}}}").services["a"].share == Share((Card("5"),))
    assert settings_of(
        f"gpus: {{0: {{memory: 9GB}}}}\nservices: {{a: {{{RUN}, gpu: {{name: 0, memory: 9GB}}}}}}"
    )
    assert asked == []
    both = "".join(
        f"\n  {name}: {{hosts: [{name}.test], {RUN}, gpu: {{name: 1, memory: 5GB}}}}" for name in "ab"
    )
    share = settings_of(f"services:{both}").services["b"].share
    assert share is not None
    assert share.cards == (Card("1", memory=8 * GB),)
    assert asked == [True], "once"


def test_a_card_that_this_host_does_not_have(
    problems_of: ProblemsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "gpu_memory", lambda: {"0": 24 * GB, "GPU-aa": 24 * GB})
    (problem,) = problems_of(f"services: {{a: {{{RUN}, gpu: {{name: 3, memory: 5GB}}}}}}")
    assert problem.message == "nobody knows how much memory GPU 3 has"
    assert problem.hint == (
        "nvidia-smi shows 0; for others write gpus: {3: {memory: 24GB}} at the top of the file"
    )


def test_the_cards_of_a_machine_are_its_own(tmp_path: Path) -> None:
    text = GOOD.replace(
        "run: {command: {start: ./app.sh}}",
        "run: {command: {start: ./app.sh}}\n    gpu: {name: 0, memory: 5GB}",
    )
    with pytest.raises(ConfigError) as caught:
        with_machines(tmp_path, text)
    (problem,) = caught.value.problems
    assert problem.message == "nobody knows how much memory GPU 0 of gpu has"
    assert problem.hint == "add it to machines.gpu: gpus: {0: {memory: 24GB}}"
    text = text.replace("    idle_after: 5m\n", "    idle_after: 5m\n    gpus: {0: {memory: 24GB}}\n")
    share = with_machines(tmp_path, text).services["app"].share
    assert share == Share((Card("0", "gpu", 24 * GB),), 5 * GB)
    with pytest.raises(ConfigError, match=r"there is no GPU 0 in machines\.gpu\.gpus"):
        with_machines(tmp_path, text.replace("gpus: {0:", "gpus: {1:"))


def test_amounts_are_written_back_as_people_write_them(settings_of: SettingsOf) -> None:
    told = settings_of(
        f"services: {{a: {{{RUN}, gpu: {{name: 0, memory: 800 mb}}}}}}\ngpus: {{0: {{memory: 1.25 TB}}}}"
    )
    assert told.model_dump(mode="json")["gpus"] == {"0": {"memory": "1.2TB"}}
    assert told.services["a"].model_dump(mode="json")["gpu"]["memory"] == "800MB"
