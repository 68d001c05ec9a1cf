from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.reading import PROVIDERS, ProblemsOf, SettingsOf, wrong_files
from tests.config.test_spec import FULL

from poorwill.config import load
from poorwill.errors import BadInput, ConfigError, Problem

RUN = "    run: {process: {command: [x, '{port}']}}\n"
ONE = "services:\n  a:\n" + RUN


FILES = sorted((Path(__file__).parent / "wrong").glob("*.txt"))


@pytest.mark.parametrize(("text", "expected"), list(wrong_files(*FILES)))
def test_every_problem_with_its_place(problems_of: ProblemsOf, text: str, expected: list[str]) -> None:
    problems = problems_of(text, {"SECRET": "hunter2"})
    found = [str(problem).removeprefix(f"{problem.file}:") for problem in problems]
    assert found == [line for line in expected if line]


@pytest.mark.parametrize("text", ["", "\n", "# only\n# comments\n"])
def test_an_empty_file(problems_of: ProblemsOf, text: str) -> None:
    (problem,) = problems_of(text)
    assert (problem.line, problem.column, problem.message) == (1, 1, "the file is empty")
    assert "poorwill init" in problem.hint


def test_how_a_problem_reads(problems_of: ProblemsOf, tmp_path: Path) -> None:
    (problem,) = problems_of(ONE + "    idle_afer: 10m\n")
    file = tmp_path / "poorwill.yaml"
    assert str(problem) == f"{file}:4:5: services.a.idle_afer: unknown key (did you mean idle_after?)"


def _problem(path: Path) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load(path, PROVIDERS, {})
    assert isinstance(caught.value, BadInput)
    (problem,) = caught.value.problems
    assert problem.file == str(path)
    return problem


def test_no_file(tmp_path: Path) -> None:
    problem = _problem(tmp_path / "poorwill.yaml")
    assert (problem.line, problem.message) == (0, "there is no such file")
    assert "poorwill init" in problem.hint


def test_a_folder(tmp_path: Path) -> None:
    problem = _problem(tmp_path)
    assert (problem.line, problem.message) == (0, "this is a folder, not a file")
    assert problem.hint == f"name the file in it: {tmp_path / 'poorwill.yaml'}"


def test_a_file_as_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert _problem(tmp_path / "file" / "poorwill.yaml").message == "the file cannot be read: Not a directory"


def test_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "poorwill.yaml"
    path.write_bytes("listen: 127.0.0.1:80\n# é".encode() + "ü\n".encode("latin-1"))
    problem = _problem(path)
    assert (problem.line, problem.column, problem.message) == (2, 4, "this is not UTF-8 text")


def test_a_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "poorwill.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + (ONE + "    hold: x\n").replace("\n", "\r\n").encode())
    problem = _problem(path)
    assert (problem.line, problem.column) == (4, 11)


def test_variables_are_filled_in(settings_of: SettingsOf) -> None:
    env = {"PORT": "9000", "N": "7", "HOLD": "5s"}
    text = (
        "listen: 127.0.0.1:${PORT}\nstate: $${x}/$y\n"
        "services:\n  a:\n    run: {process: {command: [x, '{port}', '${A:-b c}'], size: \"${N}\"}}\n"
        "    hold: ${HOLD}\n"
    )
    settings = settings_of(text, env)
    service = settings.services["a"]
    assert settings.listen.port == 9000
    assert settings.state.parts[-2:] == ("${x}", "$y")
    assert service.run.options.model_dump()["command"] == ["x", "{port}", "b c"]
    assert (service.run.options.model_dump()["size"], service.hold) == (7, 5)


def test_the_environment_of_the_process_is_the_default(
    settings_of: SettingsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_of(ONE)
    path = tmp_path / "poorwill.yaml"
    path.write_text("listen: 127.0.0.1:${POORWILL_TEST_PORT}\n" + ONE)
    monkeypatch.setenv("POORWILL_TEST_PORT", "9009")
    assert load(path, PROVIDERS).listen.port == 9009


def test_numbers_become_text_as_they_are_written(settings_of: SettingsOf) -> None:
    text = (
        "services:\n  a:\n    run:\n      process:\n"
        "        command: [x, '{port}', 9100, 1.10, 0x1F, yes, true]\n"
        "        env: {VERSION: 1.10, DEBUG: 1, DAY: 2026-11-22, 8: off}\n"
    )
    options = settings_of(text).services["a"].run.options.model_dump()
    assert options["command"] == ["x", "{port}", "9100", "1.10", "0x1F", "yes", "true"]
    assert options["env"] == {"VERSION": "1.10", "DEBUG": "1", "DAY": "2026-11-22", "8": "off"}


def test_anchors_are_taken_over_but_not_what_is_written(settings_of: SettingsOf) -> None:
    text = (
        "services:\n  a: &d\n" + RUN + "    hold: 5s\n    path: /a\n"
        "  b:\n    <<: *d\n    path: /b\n    drain: 1s\n  c:\n    <<: [{path: /c, hold: 1s}, *d]\n"
    )
    services = settings_of(text).services
    assert [(service.path, service.hold) for service in services.values()] == [
        ("/a", 5),
        ("/b", 5),
        ("/c", 1),
    ]
    assert services["b"].run == services["a"].run


def test_a_relative_path_belongs_to_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "poorwill.yaml").write_text("state: ./here\n" + ONE)
    monkeypatch.chdir(tmp_path)
    assert load(Path("sub/poorwill.yaml"), PROVIDERS, {}).state == tmp_path / "sub" / "here"


@given(st.data())
def test_any_damage_is_a_setting_or_a_problem_with_a_place(data: st.DataObject) -> None:
    """Nothing but ConfigError comes out, and every problem points into the file."""
    lines = FULL.strip().splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        key, colon, value = lines[at].partition(": ")
        other = data.draw(st.sampled_from(lines))
        damage = [
            key
            + colon
            + data.draw(st.sampled_from(["", "5", "soon", "[]", "{}", "[x, 1]", "{x: }", "${X}", "~"])),
            key + "x" + colon + value,
            other,
            lines[at] + "\n" + other,
            "",
        ]
        lines[at] = data.draw(st.sampled_from(damage))
    text = "\n".join(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "poorwill.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load(path, PROVIDERS, {})
        except ConfigError as error:
            problems = error.problems
        else:
            return
    last = len(text.splitlines()) + 1
    assert problems
    assert all(1 <= problem.line <= last and problem.column >= 1 for problem in problems), problems
