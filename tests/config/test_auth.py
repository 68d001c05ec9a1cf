"""``auth:`` is read from variables, files and digests, and never from the file itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.config.reading import ProblemsOf, SettingsOf

from poorwill.config.auth import Secret
from poorwill.core.credential import user_digest

DIGEST = f"sha256:0011223344556677:{user_digest('0011223344556677', 'eve', 'a-password')}"
KEY = "key-0123456789abcdefghij"


def services(auth: str) -> str:
    return f"services:\n  a:\n    run: {{process: {{command: [x, '{{port}}']}}}}\n    auth: {auth}\n"


def test_secrets_come_from_variables_files_and_digests(settings_of: SettingsOf, tmp_path: Path) -> None:
    (tmp_path / "bob.txt").write_text("  from a file \n")
    text = services(
        f"{{users: {{ann: '${{ANN}}', bob: {{file: ./bob.txt}}, eve: '{DIGEST}'}}, keys: {{ci: '${{CI}}'}},"
        " open: [/healthz, /static/*], forward: true}"
    )
    auth = settings_of(text, {"ANN": "12345678", "CI": KEY}).services["a"].auth
    assert auth is not None
    assert auth.users == {"ann": Secret("12345678"), "bob": Secret("  from a file "), "eve": Secret(DIGEST)}
    assert auth.keys == {"ci": Secret(KEY)}
    assert (auth.open, auth.forward) == (("/healthz", "/static/*"), True)


def test_nothing_shows_them(settings_of: SettingsOf) -> None:
    settings = settings_of(services("{users: {ann: '${ANN}'}}"), {"ANN": "open-sesame"})
    dumped = settings.services["a"].model_dump_json()
    assert "open-sesame" not in repr(settings) + str(settings) + dumped
    assert '"ann":"***"' in dumped


@pytest.mark.parametrize(
    "auth", ["{users: {ann: open-sesame}}", "{users: {ann: 12345678}}", f"{{keys: {{ci: {KEY}}}}}"]
)
def test_one_that_stands_in_the_file_is_refused_and_not_shown(problems_of: ProblemsOf, auth: str) -> None:
    [problem] = problems_of(services(auth))
    assert problem.message.endswith("must not stand in this file")
    assert "poorwill password" in problem.hint
    assert "services.a.auth." in str(problem)
    for word in ("open-sesame", "12345678", KEY):
        assert word not in str(problem)


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ("{}", "nobody could come in"),
        ("{open: [/x]}", "nobody could come in"),
        ("{users: {ann: '${SHORT}'}}", "this password is too short"),
        ("{keys: {ci: '${TWELVE}'}}", "this key is too short"),
        ("{users: {ann: '${LONG}'}}", "this password is too long"),
        ("{users: {ann: '${EMPTY}'}}", "this password is too short"),
        ("{users: {ann: '${LINES}'}}", "this password is not one line of text"),
        ("{users: {ann: [x]}}", "this is no password"),
        ("{users: {ann: true}}", "this is no password"),
        ("{users: {ann: {fil: x}}}", "expected the name of a file"),
        ("{users: {ann: {file: ./none}}}", "cannot be read: No such file or directory"),
        ("{users: {ann: {file: ./big}}}", "is too large for a secret"),
        ("{users: {ann: {file: ./bytes}}}", "is not text"),
        ("{users: {'a:b': '${TWELVE}'}}", "expected a name of letters"),
        ("{users: {ann: 'sha256:00'}}", "this digest is not whole"),
        (f"{{keys: {{ci: '{DIGEST}'}}}}", "this digest is not whole"),
        ("{users: {ann: '${TWELVE}'}, open: [x]}", "expected a path such as /healthz"),
        ("{users: {ann: '${TWELVE}'}, open: [/a*b]}", "expected a path such as /healthz"),
        ("{users: {ann: '${TWELVE}'}, open: ['/a?b']}", "expected a path such as /healthz"),
        ("{users: {ann: '${TWELVE}'}, opn: [/a]}", "unknown key"),
    ],
)
def test_mistakes(problems_of: ProblemsOf, tmp_path: Path, auth: str, message: str) -> None:
    (tmp_path / "big").write_bytes(b"x" * 5000)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00abcdefgh")
    env = {
        "SHORT": "1234567",
        "TWELVE": "twelve-chars",
        "LONG": "x" * 513,
        "EMPTY": "",
        "LINES": "one-two\nthree",
    }
    problems = problems_of(services(auth), env)
    assert message in problems[0].message
    assert "sha256:00" not in problems[0].message
    for value in filter(None, env.values()):
        assert value not in str(problems[0])


def test_a_file_that_may_not_be_read(problems_of: ProblemsOf, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "none")
    [problem] = problems_of(services("{users: {ann: {file: ./link}}}"))
    assert "cannot be read" in problem.message


def test_a_job_has_nobody_to_ask(problems_of: ProblemsOf) -> None:
    text = services("{keys: {ci: '${KEY}'}}") + "    schedule: [{start: '0 9 * * *', until: done}]\n"
    [problem] = problems_of(text, {"KEY": KEY})
    assert "auth has no use" in problem.message
