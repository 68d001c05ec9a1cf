from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.providers.conformance import refused
from tests.providers.http.place import HttpPlace

from poorwill.config import json_schema, load
from poorwill.errors import ConfigError, Permanent
from poorwill.providers.http import Options
from poorwill.providers.http.library import cloud
from poorwill.providers.registry import option_models

TOKEN = "secret-token"

MINE = """\
name: Mine
url: https://api.example.com
auth: {headers: {Authorization: "Bearer {token}"}}
options: {region: {description: Where it is.}}
state: {at: $.state, running: ["on"], off: ["off"]}
status: {url: "/i/{instance}"}
start: {method: POST, url: "/i/{instance}/start?region={region}"}
stop: {method: POST, url: "/i/{instance}/stop"}
off: {saves: compute}
"""


def _run(folder: Path, http: dict[str, Any], env: dict[str, str] | None = None) -> Options:
    """As it comes out of poorwill.yaml."""
    file = folder / "poorwill.yaml"
    service = {"address": "127.0.0.1:9100", "run": {"http": http}}
    file.write_text(json.dumps({"services": {"kb": service}}))
    options = load(file, option_models(), env or {}).services["kb"].run.options
    assert isinstance(options, Options)
    return options


def _wrong(folder: Path, http: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as wrong:
        _run(folder, http)
    return str(wrong.value)


def test_a_cloud_that_ships(tmp_path: Path) -> None:
    given = {"cloud": "autodl", "instance": "pro-0123", "token": "${KEY}"}
    options = _run(tmp_path, given, {"KEY": TOKEN})
    assert options.described.name == "AutoDL"
    assert options.words == {"token": TOKEN, "start_command": None}


def test_a_description_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    given = {"description": "./mine.yaml", "instance": "i", "token": TOKEN, "options": {"region": "eu"}}
    options = _run(tmp_path, given)
    assert options.described.name == "Mine"
    assert options.words == {"token": TOKEN, "region": "eu"}


def test_a_description_in_the_file_itself(tmp_path: Path) -> None:
    about = {
        "name": "Here",
        "url": "https://api.example.com",
        "state": {"at": "$.s", "running": ["on"], "off": ["off"]},
        "status": {"url": "/{instance}"},
        "start": {"method": "GET", "url": "/{instance}/on"},
        "stop": {"method": "GET", "url": "/{instance}/off"},
        "off": {"saves": "compute"},
    }
    assert _run(tmp_path, {"description": about, "instance": "i"}).described.name == "Here"
    assert "unknown key" in _wrong(tmp_path, {"description": {**about, "urll": "x"}, "instance": "i"})


def test_what_runs_can_be_stopped_without_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    given = {"description": "mine.yaml", "instance": "i", "token": TOKEN, "options": {"region": "eu"}}
    options = _run(tmp_path, given)
    (tmp_path / "mine.yaml").unlink()
    kept = json.loads(json.dumps(options.model_dump(mode="json")))
    assert Options.model_validate(kept) == options


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    given = {
        "cloud": "compshare",
        "instance": "i",
        "token": TOKEN,
        "options": {"public_key": "pub-key", "region": "r", "zone": "z"},
    }
    options = _run(tmp_path, given)
    assert options.secrets == (TOKEN, "pub-key")
    for shown in (repr(options), str(options), repr(options.model_dump())):
        assert TOKEN not in shown
        assert "pub-key" not in shown


GIVEN = {"cloud": "autodl", "instance": "i", "token": TOKEN}


@pytest.mark.parametrize(
    ("http", "said"),
    [
        ({}, "http.instance: missing"),
        ({"instance": "i"}, "say which cloud"),
        ({**GIVEN, "description": "x.yaml"}, "there is no such file"),
        ({**GIVEN, "cloud": "autodll"}, "did you mean autodl?"),
        ({**GIVEN, "cloud": "azure"}, "`poorwill clouds` lists them"),
        ({**GIVEN, "cloud": ["autodl"]}, "a cloud that Poorwill knows"),
        ({**GIVEN, "token": " "}, "http.token: AutoDL wants a token (AutoDL's console"),
        ({"cloud": "autodl", "instance": "i"}, "http.token: AutoDL wants a token"),
        ({**GIVEN, "instance": ""}, "http.instance: expected at least 1 characters"),
        ({**GIVEN, "tocken": "x"}, "did you mean token?"),
        ({**GIVEN, "timer": "12h"}, "http.timer: AutoDL has no shutdown timer"),
        ({**GIVEN, "cloud": "chenyu", "timer": "2m"}, "takes a timer from 6m"),
        ({**GIVEN, "options": {"start_comand": "x"}}, "did you mean start_command?"),
        ({**GIVEN, "cloud": "scaleway", "options": {"region": "x"}}, "the options of Scaleway: zone"),
        ({**GIVEN, "cloud": "verda"}, "http.options: client_id is missing (Verda wants it"),
        ({**GIVEN, "cloud": "lambda"}, "a stop at Lambda destroys the instance"),
        ({**GIVEN, "cloud": "lambda", "allow_destroy": True}, "Lambda cannot start an instance"),
        ({**GIVEN, "cloud": "tensordock", "instance": "x-{instance}"}, "instances cannot be listed"),
        ({"description": "nowhere.yaml", "instance": "i"}, "there is no such file"),
        ({"description": 7, "instance": "i"}, "the file of a description"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, http: dict[str, Any], said: str) -> None:
    assert said in _wrong(tmp_path, http)


def test_a_mistake_in_a_description_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE.replace("running:", "runing:"))
    said = _wrong(tmp_path, {"description": "mine.yaml", "instance": "i"})
    assert f"{tmp_path / 'mine.yaml'}:5:" in said
    assert "poorwill.yaml:1:" in said


def test_the_schema_of_the_file_has_it() -> None:
    schema = json_schema(option_models())
    assert "instance" in schema["$defs"]["poorwill__providers__http__options__Options"]["properties"]


def test_a_key_of_its_own_name_only() -> None:
    with pytest.raises(ValidationError, match="no_such_key"):
        Options.model_validate({"no_such_key": 1})


async def test_a_cloud_whose_stop_saves_nothing_is_noted_once(place: HttpPlace) -> None:
    off = cloud("digitalocean").off
    provider = place.provider({"off": off})
    await provider.start("a", {})
    await provider.stop("a")
    await provider.start("b", {})
    assert place.notes == [
        "a stop at AutoDL saves no money: only a droplet that is destroyed is not billed",
    ]


async def test_a_stop_that_destroys_is_noted_before_it_is_used(place: HttpPlace) -> None:
    off = cloud("lambda").off
    provider = place.provider({"off": off}, allow_destroy=True)
    await provider.start("a", {})
    assert place.notes == ["a stop at AutoDL destroys the instance with its data"]


async def test_a_cloud_that_cannot_start_says_so(place: HttpPlace) -> None:
    provider = place.provider({"off": cloud("lambda").off, "stop": cloud("autodl").stop}, allow_destroy=True)
    provider._about = provider._about.model_copy(update={"start": None})
    error = await refused(provider.start("a", {}))
    assert isinstance(error, Permanent)
