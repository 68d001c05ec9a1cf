from __future__ import annotations

from pathlib import Path

import pytest

from poorwill.config import load
from poorwill.errors import BadInput, ConfigError, Problem
from tests.config.reading import PROVIDERS, ProblemsOf, SettingsOf

RUN = "    run: {process: {command: [x, '{port}']}}\n"
ONE = "services:\n  a:\n" + RUN
FIXED = "services:\n  a:\n    run: {process: {command: [x]}}\n"
INIT = "poorwill init writes an example"

# What stands in the file, and the problems: line, column, key, message, hint ("" none, None any).
Expected = tuple[int, int, str, str, str | None]
CASES: dict[str, tuple[str, list[Expected]]] = {
    # --- the file as a whole
    "empty": ("", [(1, 1, "", "the file is empty", INIT)]),
    "only comments": ("# a\n# b\n", [(1, 1, "", "the file is empty", INIT)]),
    "a list": (
        "\n- a\n",
        [(2, 1, "", "expected keys such as listen and services at the top of the file", INIT)],
    ),
    "no services": (
        "listen: 127.0.0.1:80\n",
        [(1, 1, "services", "missing", "the services, each under its name")],
    ),
    "empty services": ("services:\n", [(1, 1, "services", "expected keys with values, got nothing", "")]),
    "services {}": ("services: {}\n", [(1, 1, "services", "there is no service", INIT)]),
    "a list of services": (
        "services:\n  - a\n",
        [(1, 1, "services", "expected keys with values, got a list", "")],
    ),
    # --- keys
    "near key": (
        ONE + "    idle_afer: 10m\n",
        [(4, 5, "services.a.idle_afer", "unknown key", "did you mean idle_after?")],
    ),
    "near key at the top": (
        "listne: 127.0.0.1:80\n" + ONE,
        [(1, 1, "listne", "unknown key", "did you mean listen?")],
    ),
    "dashes": (
        ONE + "    idle-after: 1m\n",
        [(4, 5, "services.a.idle-after", "unknown key", "did you mean idle_after?")],
    ),
    "beginning of a key": (
        ONE + "    idle: 1m\n",
        [(4, 5, "services.a.idle", "unknown key", "did you mean idle_after?")],
    ),
    "key of another level": (
        ONE + "    timeout: 1m\n    command: [x]\n",
        [
            (4, 5, "services.a.timeout", "unknown key", "did you mean services.a.ready.timeout?"),
            (5, 5, "services.a.command", "unknown key", "did you mean services.a.run.process.command?"),
        ],
    ),
    "strange key": (
        ONE + "    traffic: {active: [], banana: 1}\n",
        [
            (
                4,
                27,
                "services.a.traffic.banana",
                "unknown key",
                "the keys here are active, background, busy, keepalive_bytes",
            )
        ],
    ),
    "key of a provider": (
        "services:\n  a:\n    run:\n      process:\n        comand: [x, '{port}']\n",
        [(5, 9, "services.a.run.process.comand", "unknown key", "did you mean command?")],
    ),
    "key that is required": (
        "services:\n  a:\n    rum: {process: {command: [x]}}\n",
        [(3, 5, "services.a.rum", "unknown key", "did you mean run?")],
    ),
    "key twice": (
        ONE + "    hold: 1s\n    drain: 1s\n    hold: 2s\n",
        [(6, 5, "services.a.hold", "hold is written twice, first on line 4", "keep one of them")],
    ),
    "several keys twice, and another problem": (
        ONE + "  a:\n    hosts: [x]\nlisten: soon\nlisten: x\n",
        [
            (4, 3, "services.a", "a is written twice, first on line 2", None),
            (6, 9, "listen", "expected an address to listen on, such as 127.0.0.1:8080, got 'soon'", None),
            (7, 1, "listen", "listen is written twice, first on line 6", None),
        ],
    ),
    "key that is no text": ("? [a]\n: b\n" + ONE, [(1, 3, "", "a key must be text", None)]),
    # --- values
    "duration": (
        ONE + "    idle_after: soon\n",
        [
            (
                4,
                17,
                "services.a.idle_after",
                "expected a duration such as 90s or 10m, got 'soon'",
                "the units are ms, s, m, h and d, the largest first: 1h30m",
            )
        ],
    ),
    "bare number": (
        ONE + "    hold: 90\n",
        [
            (
                4,
                11,
                "services.a.hold",
                "expected a duration with its unit, got 90",
                "write 90s or 10m",
            )
        ],
    ),
    "too short": (
        ONE + "    idle_after: 999ms\n",
        [(4, 17, "services.a.idle_after", "expected a duration of at least 1s, got '999ms'", "")],
    ),
    "left empty": (
        ONE + "    idle_after:\n",
        [(4, 5, "services.a.idle_after", "expected a duration such as 90s or 10m, got nothing", "")],
    ),
    "a list where one is meant": (
        ONE + "    idle_after:\n      - 1m\n",
        [(4, 5, "services.a.idle_after", "expected a duration such as 90s or 10m, got a list", "")],
    ),
    "no port": (
        "listen: 127.0.0.1\n" + ONE,
        [
            (
                1,
                9,
                "listen",
                "expected an address to listen on, such as 127.0.0.1:8080, got '127.0.0.1'",
                "add the port: 127.0.0.1:8080",
            )
        ],
    ),
    "port 70000": (
        "admin:   127.0.0.1:70000\n" + ONE,
        [(1, 10, "admin", "expected a port from 1 to 65535, got '127.0.0.1:70000'", "")],
    ),
    "zone": (
        "timezone: Asia/Shangai\n" + ONE,
        [
            (
                1,
                11,
                "timezone",
                "expected a time zone such as Asia/Shanghai or UTC, got 'Asia/Shangai'",
                "did you mean Asia/Shanghai?",
            )
        ],
    ),
    "service name": (
        "services:\n  My Notes:\n" + RUN,
        [
            (
                2,
                3,
                "services.My Notes",
                "expected a service name of at most 63 small letters, digits and dashes, got 'My Notes'",
                "write my-notes",
            )
        ],
    ),
    "hosts": (
        ONE + "    hosts:\n      - ok.example\n      - http://x.example/y\n      - '*'\n",
        [
            (
                6,
                9,
                "services.a.hosts[1]",
                "expected a host name such as notes.example.com, got 'http://x.example/y'",
                "without scheme, port or path: x.example",
            ),
            (
                7,
                9,
                "services.a.hosts[2]",
                "expected a host name such as notes.example.com, got '*'",
                "for every host leave hosts out and write path: /",
            ),
        ],
    ),
    "path": (
        ONE + "    path: notes\n",
        [(4, 11, "services.a.path", "expected a path such as /notes, got 'notes'", None)],
    ),
    "choice, yes or no, number": (
        ONE + "    protocol: h2\n    strip_path: maybe\n    traffic: {keepalive_bytes: many}\n",
        [
            (4, 15, "services.a.protocol", "expected 'http1' or 'http2', got 'h2'", ""),
            (5, 17, "services.a.strip_path", "expected true or false, got 'maybe'", ""),
            (6, 32, "services.a.traffic.keepalive_bytes", "expected a whole number, got 'many'", ""),
        ],
    ),
    "negative": (
        ONE + "    traffic: {keepalive_bytes: -1}\n",
        [(4, 32, "services.a.traffic.keepalive_bytes", "expected at least 0, got -1", "")],
    ),
    "ready": (
        ONE + "    ready: {status: [200, 6xx], timeout: 0s, headers: {'a b': x, C: \"x\\ny\"}}\n",
        [
            (
                4,
                27,
                "services.a.ready.status[1]",
                "expected a status code such as 200, 2xx or 200-299, got '6xx'",
                "",
            ),
            (4, 42, "services.a.ready.timeout", "expected a duration of at least 100ms, got '0s'", ""),
            (
                4,
                56,
                "services.a.ready.headers.a b",
                "expected a header name such as Authorization, got 'a b'",
                "",
            ),
            (4, 69, "services.a.ready.headers.C", "expected a header in one line, got 'x\\ny'", ""),
        ],
    ),
    "ready asks nothing with tcp": (
        ONE + "    ready: {path: /x, tcp: true}\n",
        [(4, 19, "services.a.ready.path", "path has no use beside tcp: true (line 4, column 28)", None)],
    ),
    "ready is not a path": (
        ONE + "    ready: /healthz\n",
        [(4, 12, "services.a.ready", "expected keys with values, got '/healthz'", "")],
    ),
    "warm-up": (
        ONE + "    warmup: [/ok, nope]\n",
        [(4, 19, "services.a.warmup[1]", "expected a path such as /healthz, got 'nope'", None)],
    ),
    "patterns": (
        ONE + "    traffic:\n      active: [x]\n      busy: /a\n",
        [
            (
                5,
                16,
                "services.a.traffic.active[0]",
                "expected a pattern such as /heartbeat/* or POST /v1/*, got 'x'",
                "",
            ),
            (
                6,
                13,
                "services.a.traffic.busy",
                "expected a list, got '/a'",
                "write [one, two], or one on each line with a dash in front",
            ),
        ],
    ),
    "one pattern in two classes": (
        ONE + "    traffic: {active: [/a, GET /b], busy: [/c, get  /b], background: [/c, /c]}\n",
        [
            (
                4,
                48,
                "services.a.traffic.busy[1]",
                "GET /b is listed under active too (line 4, column 28)",
                "keep one of them",
            ),
            (
                4,
                44,
                "services.a.traffic.busy[0]",
                "/c is listed under background too (line 4, column 71)",
                "keep one of them",
            ),
            (
                4,
                75,
                "services.a.traffic.background[1]",
                "/c is listed twice (line 4, column 71)",
                "keep one of them",
            ),
        ],
    ),
    # --- run and address
    "no run": (
        "services:\n  a:\n    hosts: [x]\n",
        [(2, 3, "services.a.run", "missing", None)],
    ),
    "run is a command": (
        "services:\n  a:\n    run: python3 x.py\n",
        [
            (
                3,
                10,
                "services.a.run",
                "expected a provider with its options, such as process: {command: [python3, app.py]}, "
                "got 'python3 x.py'",
                "write the command as a list: run: {process: {command: [python3, app.py]}}",
            )
        ],
    ),
    "two providers": (
        "services:\n  a:\n    run: {process: {command: [x]}, docker: {}}\n",
        [(3, 5, "services.a.run", "one provider only, found process and docker", None)],
    ),
    "unknown provider": (
        "services:\n  a:\n    run:\n      proces: {command: [x]}\n",
        [(4, 7, "services.a.run.proces", "there is no provider proces", "did you mean process?")],
    ),
    "unknown provider, none near": (
        "services:\n  a:\n    run:\n      cloud: {}\n",
        [(4, 7, "services.a.run.cloud", "there is no provider cloud", "the providers are process")],
    ),
    "options missing": (
        "services:\n  a:\n    run:\n      process:\n",
        [(4, 7, "services.a.run.process.command", "missing", "the command and its arguments")],
    ),
    "options": (
        "services:\n  a:\n    run: {process: {command: [], env: {A: }, size: 10}}\n",
        [
            (3, 21, "services.a.run.process.command", "expected at least 1 of them, got []", ""),
            (3, 40, "services.a.run.process.env.A", "expected text, got nothing", ""),
            (3, 52, "services.a.run.process.size", "expected at most 9, got 10", ""),
        ],
    ),
    "a provider's own words": (
        "services:\n  a:\n    run: {process: {command: [false]}}\n",
        [(3, 21, "services.a.run.process.command", "the command does nothing", "")],
    ),
    "bare {port}": (
        "services:\n  a:\n    run: {process: {command: [x, {port}]}}\n",
        [
            (
                3,
                34,
                "services.a.run.process.command[1]",
                "expected text, got keys with values",
                'put it in quotes: "{port}"',
            )
        ],
    ),
    "no address": (
        FIXED,
        [
            (
                2,
                3,
                "services.a.address",
                "missing",
                "say where the service answers: address: 127.0.0.1:9100",
            )
        ],
    ),
    "address and {port}": (
        ONE + "    address: 127.0.0.1:9100\n",
        [
            (
                4,
                14,
                "services.a.address",
                "address has no use here: with {port} in the command Poorwill chooses the port",
                None,
            )
        ],
    ),
    "https": (
        FIXED + "    address: https://x.example:1\n",
        [
            (
                4,
                14,
                "services.a.address",
                "expected an address such as 127.0.0.1:9100 or http://127.0.0.1:9100, got 'https://x.example:1'",
                "Poorwill speaks plain HTTP to a service",
            )
        ],
    ),
    "own address": (
        "listen: 0.0.0.0:9100\n" + FIXED + "    address: localhost:9100\n",
        [
            (
                5,
                14,
                "services.a.address",
                "localhost:9100 is Poorwill's own address (listen), not the service's (line 1, column 9)",
                None,
            )
        ],
    ),
    # --- between services and doors
    "one host twice": (
        ONE
        + "    hosts: [X.example, y.example]\n  b:\n    hosts:\n      - z.example\n      - x.example\n"
        + RUN,
        [
            (
                8,
                9,
                "services.b.hosts[1]",
                "x.example already goes to services.a (line 4, column 13)",
                "give one of them another host or path",
            )
        ],
    ),
    "one host with one path twice": (
        ONE + "    hosts: [x, X.]\n    path: /n/\n  b:\n    hosts: x\n    path: /n\n" + RUN,
        [
            (4, 16, "services.a.hosts[1]", "x/n is listed twice (line 4, column 13)", "remove one of them"),
            (7, 12, "services.b.hosts", "x/n already goes to services.a (line 4, column 13)", None),
        ],
    ),
    "one path twice": (
        ONE + "    path: /n\n  b:\n    path: /n/\n" + RUN,
        [(6, 11, "services.b.path", "/n on every host already goes to services.a (line 4, column 11)", None)],
    ),
    "nobody finds them": (
        ONE + "  b:\n    hosts: [b]\n" + RUN + "  c:\n" + RUN,
        [
            (
                2,
                3,
                "services.a",
                "nothing says which requests are for this service",
                "with several services each needs hosts or path: hosts: [a.localhost]",
            ),
            (7, 3, "services.c", "nothing says which requests are for this service", None),
        ],
    ),
    "one address twice": (
        FIXED
        + "    address: 127.0.0.1:9100\n    path: /a\n"
        + FIXED.removeprefix("services:\n").replace("  a:", "  b:")
        + "    address: http://127.0.0.1:9100\n    path: /b\n",
        [
            (
                8,
                14,
                "services.b.address",
                "127.0.0.1:9100 is already the address of services.a (line 4, column 14)",
                "give each service a port of its own",
            )
        ],
    ),
    "doors collide": (
        "listen: 127.0.0.1:9000\nadmin: localhost:9000\n" + ONE,
        [
            (
                2,
                8,
                "admin",
                "listen 127.0.0.1:9000 and admin localhost:9000 need the same port (line 1, column 9)",
                "give each a port of its own",
            )
        ],
    ),
    "a door collides with a default": (
        "listen: 0.0.0.0:8081\n" + ONE,
        [(1, 9, "listen", "admin 127.0.0.1:8081 and listen 0.0.0.0:8081 need the same port", None)],
    ),
    # --- everything at once
    "between services although single keys are wrong": (
        "listen: x\n"
        + ONE
        + "    hosts: [x]\n    idle_after: soon\n    traffic: {active: [/a, /a], busy: [y]}\n"
        + "  b:\n    hosts: [x]\n    hold: 5\n    run: {proces: {}}\n"
        + "  c:\n    adress: 127.0.0.1:9100\n    run: {process: {command: [x]}}\n",
        [
            (1, 9, "listen", "expected an address to listen on, such as 127.0.0.1:8080, got 'x'", None),
            (6, 17, "services.a.idle_after", "expected a duration such as 90s or 10m, got 'soon'", None),
            (
                7,
                40,
                "services.a.traffic.busy[0]",
                "expected a pattern such as /heartbeat/* or POST /v1/*, got 'y'",
                "",
            ),
            (7, 28, "services.a.traffic.active[1]", "/a is listed twice (line 7, column 24)", None),
            (9, 13, "services.b.hosts[0]", "x already goes to services.a (line 5, column 13)", None),
            (10, 11, "services.b.hold", "expected a duration with its unit, got 5", None),
            (11, 11, "services.b.run.proces", "there is no provider proces", None),
            (12, 3, "services.c", "nothing says which requests are for this service", None),
            (13, 5, "services.c.adress", "unknown key", "did you mean address?"),
        ],
    ),
    "no consequences": (
        ONE
        + "    hosts: [x, '1 2']\n  b:\n    hosts: [y]\n    path: z\n"
        + RUN
        + "  c:\n    hosts: [y]\n"
        + RUN,
        [
            (
                4,
                16,
                "services.a.hosts[1]",
                "expected a host name such as notes.example.com, got '1 2'",
                "",
            ),
            (7, 11, "services.b.path", "expected a path such as /notes, got 'z'", None),
        ],
    ),
    "a mistake behind an alias is told once": (
        "services:\n  a: &d\n" + RUN + "    hold: soon\n    path: /a\n  b:\n    <<: *d\n    path: /b\n",
        [(4, 11, "services.a.hold", "expected a duration such as 90s or 10m, got 'soon'", None)],
    ),
    # --- variables
    "missing variable": (
        "listen: ${LISTEN}\nadmin: ${ADMIN:-127.0.0.1:9}\n" + ONE + "    hosts: ['${H}.example', 'a b']\n",
        [
            (
                1,
                9,
                "listen",
                "the environment has no variable LISTEN",
                "set it, or write ${LISTEN:-default}",
            ),
            (6, 13, "services.a.hosts[0]", "the environment has no variable H", None),
            (6, 29, "services.a.hosts[1]", "expected a host name such as notes.example.com, got 'a b'", ""),
        ],
    ),
    "no variable at all": (
        "state: ${1}\n" + ONE,
        [
            (
                1,
                8,
                "state",
                "${ begins a variable, but this is not ${NAME} or ${NAME:-default}",
                "write $${ where ${ is meant as it stands",
            )
        ],
    ),
    "a value from the environment is not shown": (
        "listen: ${SECRET}\n" + ONE + "    hold: ${SECRET}\n",
        [
            (
                1,
                9,
                "listen",
                "expected an address to listen on, such as 127.0.0.1:8080, got '${SECRET}'",
                "the value comes from the environment",
            ),
            (
                5,
                11,
                "services.a.hold",
                "expected a duration such as 90s or 10m, got '${SECRET}'",
                "the value comes from the environment",
            ),
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_every_problem_with_its_place(problems_of: ProblemsOf, text: str, expected: list[Expected]) -> None:
    problems = problems_of(text, {"SECRET": "hunter2"})
    found = [(problem.line, problem.column, problem.key, problem.message) for problem in problems]
    assert found == sorted(row[:4] for row in expected)
    for problem, (*_, hint) in zip(problems, sorted(expected, key=lambda row: row[:2]), strict=True):
        assert hint is None or problem.hint == hint
    assert "hunter2" not in "".join(map(str, problems))


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
        "services:\n  a:\n    run:\n      process:\n        command: [x, '{port}', 9100, 1.10, 0x1F, yes, true]\n"
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
