"""A scale policy in a file of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config.reading import PROVIDERS

from poorwill.config import load
from poorwill.core.metric import METRICS
from poorwill.core.scale import ScalePolicy
from poorwill.core.target_mode import Target
from poorwill.errors import ConfigError

POLICY = """min_instances: 1
max_instances: 3
target: {concurrency: 4}
"""
MAIN = """services:
  a:
    run: {process: {command: [x, '{port}']}}
    scale_policy: %s
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "poorwill.yaml").write_text(MAIN % "policies/a.yaml", encoding="utf-8")
    (tmp_path / "policies").mkdir()
    return tmp_path


def written(home: Path, policy: str) -> Path:
    (home / "policies" / "a.yaml").write_text(policy, encoding="utf-8")
    return home / "poorwill.yaml"


def problems(home: Path, policy: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(written(home, policy), PROVIDERS, {})
    return [str(problem).replace(f"{home}/", "") for problem in caught.value.problems]


def below(key: str) -> str:
    return f"# why so many\n{key}:\n" + "".join(f"  {line}\n" for line in POLICY.splitlines())


@pytest.mark.parametrize("policy", [POLICY, below("scale_policy"), below("autoscaling_policy")])
def test_bare_or_below_its_name(home: Path, policy: str) -> None:
    rules = load(written(home, policy), PROVIDERS, {}).services["a"].rules(0)
    assert rules.scale == ScalePolicy(1, 3, target=Target(METRICS["concurrency"], 4.0))


def test_variables_are_filled_in(home: Path) -> None:
    settings = load(written(home, POLICY.replace("3", "${MOST}")), PROVIDERS, {"MOST": "7"})
    scale = settings.services["a"].rules(0).scale
    assert scale is not None
    assert scale.max_instances == 7


@pytest.mark.parametrize("key", ["", "autoscaling_policy"])
def test_its_problems_name_the_file_with_the_place_there(home: Path, key: str) -> None:
    text = below(key) if key else POLICY
    down, right = (2, 2) if key else (0, 0)
    unknown, mood = problems(home, text.replace("max_inst", "max-inst").replace("4}", "4, mood: good}"))
    at = f"policies/a.yaml:{2 + down}:{1 + right}: services.a.scale_policy.max-instances:"
    assert unknown == f"{at} unknown key (did you mean max_instances?)"
    at = f"policies/a.yaml:{3 + down}:{26 + right}: services.a.scale_policy.target.mood:"
    assert mood.startswith(f"{at} unknown key (the keys here are concurrency, request_rate,")


def test_two_places_in_two_files(home: Path) -> None:
    main = home / "poorwill.yaml"
    main.write_text(f"{MAIN % 'policies/a.yaml'}    concurrency: 2\n", encoding="utf-8")
    (found,) = problems(home, POLICY)
    assert found.startswith(
        "policies/a.yaml:3:23: services.a.scale_policy.target.concurrency: the target is 4,"
    )
    assert "takes only 2 at a time (poorwill.yaml, line 5, column 18)" in found


def test_problems_of_both_files_the_main_one_first(home: Path) -> None:
    main = home / "poorwill.yaml"
    main.write_text(f"{MAIN % 'policies/a.yaml'}    mood: good\n", encoding="utf-8")
    files = [problem.partition(":")[0] for problem in problems(home, "max_instances: many\n")]
    assert files == ["poorwill.yaml", "policies/a.yaml"]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", "policies/a.yaml:1:1: expected keys such as max_instances"),
        ("- a\n", "policies/a.yaml:1:1: expected keys such as max_instances"),
        ("scale_policy: b.yaml\n", "policies/a.yaml:1:1: expected keys such as max_instances"),
        ("a: [b\n", "policies/a.yaml:1:4: a [ is opened here and not closed properly"),
        (
            "max_instances: ${NO}\n",
            "policies/a.yaml:1:16: services.a.scale_policy.max_instances: the environment",
        ),
    ],
)
def test_what_is_no_policy(home: Path, policy: str, expected: str) -> None:
    found = problems(home, policy)
    assert len(found) == 1
    assert found[0].startswith(expected)


def test_no_such_file_is_said_where_it_is_named(home: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(home / "poorwill.yaml", PROVIDERS, {})
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == (str(home / "poorwill.yaml"), 4, 19)
    assert "policies/a.yaml: there is no such file" in problem.message
    (home / "policies" / "a.yaml").write_bytes(b"\xff\xfe\xff")
    assert problems_of_bytes(home) == ["policies/a.yaml: this is not UTF-8 text (save the file as UTF-8)"]


def problems_of_bytes(home: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(home / "poorwill.yaml", PROVIDERS, {})
    return [str(problem).replace(f"{home}/", "") for problem in caught.value.problems]
