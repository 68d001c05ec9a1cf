from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.providers.http.test_options import MINE

from poorwill.core.model import Condition
from poorwill.errors import BadInput, ConfigError
from poorwill.providers.http.client import Client
from poorwill.providers.http.description import Description
from poorwill.providers.http.library import cloud, load, shipped

CLOUDS = shipped()


def _problems(folder: Path, text: str) -> str:
    file = folder / "mine.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as wrong:
        load(file, {})
    return str(wrong.value).replace(f"{file}:", "")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("url: https:", "url: ftp:", "2:6: url: this is no address"),
        ("url: https:", "url: http:", "2:6: url: the token would travel unprotected"),
        ("{token}", "{tokn}", "3:33: auth.headers.Authorization: {tokn} means nothing here"),
        ("{region}", "{zone}", "start.url: {zone} means nothing here"),
        ("status:", "state_of_it:", "unknown key"),
        ("status:", "stauts:", "did you mean status?"),
        ("at: $.state", "at: state", "a path begins with $"),
        ("running: [", "runing: [", "did you mean running?"),
        ('off: ["off"]', 'off: ["on"]', "the state on is listed twice"),
        ("saves: compute", "saves: money", "off.saves: expected"),
        ("method: POST", "method: FETCH", "start.method: expected"),
        ("off: {saves", "ok: {when: [$.code]}\noff: {saves", "a test is a path"),
        ("off: {saves", "no_capacity: {text: ['(']}\noff: {saves", "the pattern cannot be read"),
        ("off: {saves", "timeout: 30\noff: {saves", "write 90s or 10m"),
        ("region: {desc", "Region: {desc", "this cannot be the name of an option"),
        ("region: {desc", "token: {desc", "this cannot be the name of an option"),
        ("start: {method: POST", "start: {method: POST, body: {}, form: {}", "body and form cannot both"),
        (MINE, "", "the file is empty"),
        (MINE, "- a", "at the top of the file"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert MINE.count(old) >= 1
    assert said in _problems(tmp_path, MINE.replace(old, new, 1))


def test_every_problem_is_told(tmp_path: Path) -> None:
    text = MINE.replace("running:", "runing:").replace("saves:", "safes:").replace("status:", "staus:")
    assert len(_problems(tmp_path, text).splitlines()) >= 3


def test_variables_of_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(MINE.replace("Bearer {token}", "Bearer ${KEY}"))
    about = load(file, {"KEY": "hidden-key"})
    assert about.auth.headers == {"Authorization": "Bearer hidden-key"}
    assert "hidden-key" not in repr(about)
    with pytest.raises(ConfigError, match="no variable KEY"):
        load(file, {})


def test_a_cloud_that_nobody_described() -> None:
    with pytest.raises(BadInput) as wrong:
        cloud("runpot")
    assert wrong.value.hint == "did you mean runpod?"


@pytest.mark.parametrize("name", CLOUDS)
def test_it_survives_json(name: str) -> None:
    about = cloud(name)
    assert (
        Description.model_validate(about.model_dump(mode="json", by_alias=True, exclude_unset=True)) == about
    )


@pytest.mark.parametrize("name", CLOUDS)
async def test_each_of_its_calls_can_be_made(name: str) -> None:
    about = cloud(name)
    words: dict[str, str | None] = {"token": "the-token", "login": "logged-in", "instance": "the-id"}
    words |= {"seconds": "600", "minutes": "10", "unix": "1800000000"}
    words |= {key: spec.default or (None if spec.optional else "x") for key, spec in about.options.items()}
    client = Client(about, words, ())
    named = []
    for what, call in about.calls.items():
        request = client._request(await client._client(), call, words)
        sent = f"{request.method} {request.url} {dict(request.headers)} {request.content.decode()}"
        assert str(request.url).startswith(about.url)
        assert "{" not in str(request.url)
        assert ("the-token" in sent or "logged-in" in sent) or about.auth.signature, what
        if "the-id" in sent:
            named.append(what)
    await client.close()
    assert {"status", "stop", *({"start", "timer"} & about.calls.keys())} <= set(named)


@pytest.mark.parametrize("name", CLOUDS)
def test_it_is_honest(name: str) -> None:
    about = cloud(name)
    assert about.sources
    assert about.unsure
    assert about.tried == "", "who tried it writes when and how"
    assert about.token_help
    assert about.off.billed or about.off.note


@pytest.mark.parametrize("name", CLOUDS)
def test_what_it_does_not_know_is_never_off(name: str) -> None:
    about = cloud(name)
    for record in ({}, {"status": "made-up"}, {"state": "made-up"}, {"actual_status": "made-up"}, []):
        condition, _, says = about.state.read(record, {"instance": "i"})
        assert condition is not Condition.ABSENT
        assert condition is not Condition.RUNNING
        assert says or condition is not Condition.UNKNOWN


TRAPS: list[tuple[str, Any, Condition]] = [
    ("runpod", {"desiredStatus": "RUNNING", "publicIp": "", "portMappings": {}}, Condition.STARTING),
    ("runpod", {"desiredStatus": "RUNNING", "publicIp": None, "portMappings": None}, Condition.STARTING),
    ("runpod", {"desiredStatus": "RUNNING", "publicIp": "1.2.3.4", "gpu": {"count": 0}}, Condition.STARTING),
    ("runpod", {"desiredStatus": "RUNNING", "publicIp": "1.2.3.4", "gpu": {"count": 1}}, Condition.RUNNING),
    ("runpod", {"desiredStatus": "EXITED"}, Condition.ABSENT),
    ("runpod", {"desiredStatus": "TERMINATED"}, Condition.UNKNOWN),
    ("vast", {"actual_status": "exited", "intended_status": "stopped"}, Condition.ABSENT),
    ("vast", {"actual_status": "exited", "intended_status": "running"}, Condition.UNKNOWN),
    ("vast", {"actual_status": "frozen"}, Condition.UNKNOWN),
    ("vast", {"actual_status": None}, Condition.STARTING),
    ("hyperstack", {"status": "SHUTOFF"}, Condition.UNKNOWN),
    ("hyperstack", {"status": "HIBERNATED"}, Condition.ABSENT),
    ("verda", {"status": "offline"}, Condition.UNKNOWN),
    ("scaleway", {"state": "stopped in place"}, Condition.UNKNOWN),
    ("scaleway", {"state": "stopped"}, Condition.ABSENT),
    ("chenyu", {"status": 22}, Condition.ABSENT),
    ("chenyu", {"status": True}, Condition.UNKNOWN),
    ("autodl", {"data": "failed"}, Condition.UNKNOWN),
    ("autodl-elastic", {"data": {"list": [], "result_total": 0}}, Condition.ABSENT),
    ("autodl-elastic", {"data": None}, Condition.UNKNOWN),
    ("compshare", {"State": "Install Fail"}, Condition.UNKNOWN),
    ("compshare", {"State": ""}, Condition.UNKNOWN),
]


@pytest.mark.parametrize(("name", "record", "condition"), TRAPS)
def test_traps(name: str, record: Any, condition: Condition) -> None:
    assert cloud(name).state.read(record, {})[0] is condition


def test_an_address_inside_a_text() -> None:
    values = cloud("compshare").status.values
    record = {"SshLoginCommand": "ssh -p 23 root@117.50.1.2"}
    assert values["ssh_host"].of(record, {}) == "117.50.1.2"
    assert values["ssh_port"].of(record, {}) == "23"
    assert values["host"].of(record, {}) is None
    assert (
        cloud("chenyu")
        .status.values["service_domain"]
        .of({"server_map": [{"url": "https://x-8000.chenyu.cn/path"}]}, {})
        == "x-8000.chenyu.cn"
    )
    made = cloud("runpod").status.values["service_domain"]
    assert made.of({}, {"instance": "p1", "service_port": "8888"}) == "p1-8888.proxy.runpod.net"
