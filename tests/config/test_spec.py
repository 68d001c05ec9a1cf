from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from tests.config.reading import PROVIDERS, Options, SettingsOf

from poorwill.config import HostPort, Ready, ServiceConfig, Settings, Traffic
from poorwill.config.concurrency import Concurrency
from poorwill.config.run import Context, Run
from poorwill.core.model import Service

CONTEXT = Context(PROVIDERS, Path("/srv"))
SMALLEST = "services: {notes: {run: {process: {command: [x, '{port}']}}}}"
FULL = """
listen: 0.0.0.0:80
admin: "[::1]:8081"
state: data/state
timezone: Asia/Shanghai
services:
  notes:
    hosts: [Notes.Example.com, "*.example.org"]
    path: /notes/
    strip_path: true
    run:
      process: {command: [python3, app.py], env: {PORT: "9100"}}
    address: http://127.0.0.1:9100
    protocol: http2
    ready: {path: /healthz?full=1, status: [2xx, 404], timeout: 1h30m, headers: {X-Probe: "1"}}
    warmup: [/a, /b]
    idle_after: 90s
    hold: 500ms
    drain: 1m
    max_held: 200
    concurrency: {limit: 2, paths: [POST /queue/join]}
    traffic:
      active: [/api/chat]
      background: [/heartbeat/*]
      busy: [post /v1/*]
      keepalive_bytes: 10
    timezone: America/New_York
    schedule:
      - {hours: "Mon-Fri 09:00-18:00, Sat 10:00-14:00", except: [2026-12-24]}
      - {start: "0 20 * * 1-5", stop: "0 22 * * 1-5", holidays: [CN, DE-BY], also: 2026-12-27}
      - {date: 2026-11-29, hours: "10:00-14:00"}
      - {date: 2026-11-30, closed: true}
      - {start: "@daily", until: idle, missed: skip}
      - {ready_by: "5:50", stop: "0 7 * * *"}
      - {ready_by: "30 22 * * 1-5", stop: "0 23 * * 1-5"}
      - {hours: Sun 18:00-20:00, ready_by: 17:50}
  job:
    run: {process: {command: [x]}}
    schedule: {start: "30 6 * * *", until: done}
  other:
    path: /
    run: {process: {command: [x, "{port}"]}}
"""


def test_the_defaults_of_a_beginner(settings_of: SettingsOf, tmp_path: Path) -> None:
    settings = settings_of(SMALLEST)
    assert settings.listen == HostPort("127.0.0.1", 8080)
    assert settings.admin == HostPort("127.0.0.1", 8081)
    assert settings.state == tmp_path / "poorwill-state"
    notes = settings.services["notes"]
    assert notes.run == Run("process", Options(command=["x", "{port}"]))
    assert (notes.hosts, notes.path, notes.strip_path, notes.address) == ((), None, False, None)
    assert (notes.idle_after, notes.hold, notes.drain) == (600, 90, 30)
    assert (notes.protocol, notes.warmup) == ("http1", ())
    assert (notes.max_held, notes.concurrency) == (5000, None)
    assert notes.ready == Ready()
    assert (notes.ready.path, notes.ready.tcp, notes.ready.timeout) == ("/", False, 120)
    assert notes.traffic == Traffic()


def test_every_key(settings_of: SettingsOf, tmp_path: Path) -> None:
    settings = settings_of(FULL)
    assert settings.listen == HostPort("0.0.0.0", 80)
    assert settings.admin == HostPort("::1", 8081)
    assert settings.state == tmp_path / "data/state"
    assert settings.timezone == "Asia/Shanghai"
    assert list(settings.services) == ["notes", "job", "other"]
    notes = settings.services["notes"]
    assert notes.hosts == ("notes.example.com", "*.example.org")
    assert (notes.path, notes.strip_path, settings.services["other"].path) == ("/notes", True, "")
    assert notes.run.options == Options(command=["python3", "app.py"], env={"PORT": "9100"})
    assert notes.address.fixed == HostPort("127.0.0.1", 9100)
    assert notes.protocol == "http2"
    assert (notes.ready.path, notes.ready.status) == ("/healthz?full=1", ((200, 299), (404, 404)))
    assert (notes.ready.timeout, notes.ready.headers) == (5400, {"X-Probe": "1"})
    assert notes.warmup == ("/a", "/b")
    assert (notes.idle_after, notes.hold, notes.drain) == (90, 0.5, 60)
    assert notes.traffic.patterns == {
        "active": ("/api/chat",),
        "background": ("/heartbeat/*",),
        "busy": ("POST /v1/*",),
    }
    assert notes.traffic.keepalive_bytes == 10
    assert (notes.max_held, notes.concurrency) == (200, Concurrency(limit=2, paths=("POST /queue/join",)))


def test_concurrency_may_be_a_number(settings_of: SettingsOf) -> None:
    notes = settings_of(SMALLEST.replace("run:", "concurrency: 3, run:")).services["notes"]
    assert notes.concurrency == Concurrency(limit=3)


def test_what_the_core_needs(settings_of: SettingsOf) -> None:
    notes = settings_of(FULL).services["notes"]
    assert notes.timetable is not None
    assert notes.rules(2.5) == Service(
        name="notes",
        idle_after=90,
        drain=60,
        start_timeout=5400,
        settle=2.5,
        keepalive_bytes=10,
        timetable=notes.timetable,
    )


@pytest.mark.parametrize("text", [SMALLEST, FULL])
def test_written_out_and_read_again(settings_of: SettingsOf, text: str) -> None:
    settings = settings_of(text)
    again = Settings.model_validate(settings.model_dump(mode="json"), context=CONTEXT)
    assert again == settings
    assert again.services["notes"].name == "notes"


services = st.fixed_dictionaries(
    {"run": st.just({"process": {"command": ["x", "{port}"]}})},
    optional={
        "hosts": st.lists(
            st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8})?", fullmatch=True), max_size=3, unique=True
        ),
        "path": st.from_regex(r"(/[a-z0-9]{1,5}){1,3}/?", fullmatch=True),
        "idle_after": st.integers(1, 10**6).map(lambda seconds: f"{seconds}s"),
        "hold": st.integers(0, 10**9).map(lambda millis: f"{millis}ms"),
        "warmup": st.lists(st.from_regex(r"(/[a-z0-9?=&]{1,5}){1,3}", fullmatch=True), max_size=3),
        "traffic": st.fixed_dictionaries({}, optional={"keepalive_bytes": st.integers(0, 10**6)}),
    },
)


@given(services)
def test_any_service_written_out_and_read_again(service: dict[str, Any]) -> None:
    settings = Settings.model_validate({"services": {"a": service}}, context=CONTEXT)
    assert Settings.model_validate(settings.model_dump(mode="json"), context=CONTEXT) == settings


def test_settings_cannot_be_changed(settings_of: SettingsOf) -> None:
    settings = settings_of(SMALLEST)
    with pytest.raises(ValidationError):
        settings.listen = HostPort("127.0.0.1", 1)
    with pytest.raises(ValidationError):
        settings.services["notes"].hold = 1


@pytest.mark.parametrize("model", [Settings, ServiceConfig, Ready, Traffic])
def test_every_key_is_described(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert (field.description or "").endswith("."), name


def test_an_absolute_or_home_state_folder_stays_so(
    settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert settings_of(f"state: /var/lib/x\n{SMALLEST}").state == Path("/var/lib/x")
    assert settings_of(f"state: ~/x\n{SMALLEST}").state == Path("/home/somebody/x")
