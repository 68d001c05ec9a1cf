"""The services of the chaos, each with a weakness of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.running import Json
from tests.docker_engine import IMAGE, DockerEngine

PROGRAM = Path(__file__).with_name("service.py")

HOLD = 40.0
"""Seconds a request waits; far more than any trouble lasts."""

CONTAINER = "contained"

ON_ONE_GPU = ("chat", "images")
"""Both need it for themselves. There is none, and nobody has to know."""

WIDE, LOYAL = "wide", "loyal"
"""Several instances each: one that aims for so many requests, and one whose visitors stay where they are."""

MOST = {WIDE: 3, LOYAL: 2}
"""How many instances there may be; one, when nothing is said."""

AT_ONCE = {WIDE: 4}
"""How many requests each instance takes at a time."""

THRIFTY, SPENDS = "thrifty", 20.0
"""It may be there for so many seconds a month; then nobody wakes it any more."""

IDLE_AFTER = {LOYAL: 2.0}
"""Seconds; one, when nothing is said."""

LIGHT = ("get", "get", "post", "sse", "websocket")

EVERYTHING = ("get", "get", "get", "post", "post", "sse", "websocket", "upload")


@dataclass(frozen=True)
class Tenant:
    """``kinds`` are what its visitors ask, often named twice; ``diary`` says whether it keeps one."""

    name: str
    settings: Json = field(compare=False)
    kinds: tuple[str, ...] = EVERYTHING
    diary: bool = True


def program(
    folder: Path, name: str, *options: str, kinds: tuple[str, ...] = EVERYTHING, **settings: Any
) -> Tenant:
    words = [sys.executable, str(PROGRAM), "{port}", "--name", name, "--instance", "{instance}"]
    words += ["--diary", str(diary(folder, name))]
    run = {"process": {"command": [*words, *options], "stop_timeout": "5s"}}
    ready = {"path": "/ready", "timeout": "20s"}
    return Tenant(name, {"run": run, "ready": ready, **_common(name), **settings}, kinds)


def diary(folder: Path, name: str) -> Path:
    return folder / f"{name}.diary"


def broken(folder: Path) -> Path:
    """While this file exists, the service ``frail`` ends at its start."""
    return folder / "broken"


def one_broken(folder: Path, instance: str) -> Path:
    """While this file exists, this one of several instances ends at its start."""
    return folder / f"broken-{instance}"


def one_deaf(folder: Path, instance: str) -> Path:
    """While this file exists, this one of several instances does not begin to listen."""
    return folder / f"deaf-{instance}"


def weather(folder: Path) -> Path:
    """What the provider of ``rented`` is like today."""
    return folder / "weather.json"


def ordinary(folder: Path) -> list[Tenant]:
    """What runs everywhere."""
    few = ("get", "post", "sse")
    gpu = {"name": "only", "min_awake": "2s"}
    rented = {"run": {"fake": {"weather": str(weather(folder)), "stop_takes": "0s"}}, **_common("rented")}
    return [
        program(folder, "quick"),
        program(folder, "slow", "--startup", "2", "--deaf-while", str(one_deaf(folder, "slow"))),
        program(folder, "busy", traffic={"busy": ["/work"]}),
        program(folder, "clingy", "--linger", "0.7"),
        program(folder, "frail", "--broken-while", str(broken(folder))),
        *(program(folder, name, "--linger", "0.3", kinds=few, gpu=gpu) for name in ON_ONE_GPU),
        Tenant("rented", {**rented, "ready": {"timeout": "20s"}}, ("plain",), diary=False),
        several(folder, WIDE, {"target": _AIM}, kinds=LIGHT, concurrency=AT_ONCE[WIDE]),
        several(folder, LOYAL, _RULES, kinds=(*LIGHT, *["regular"] * 5), sticky=True),
        program(folder, THRIFTY, kinds=few, budget={"hours": SPENDS / 3600, "at_limit": "no_wake"}),
        program(folder, "shy", on_request="page", kinds=("click", "click", "post")),
    ]


def several(folder: Path, name: str, policy: Json, **settings: Any) -> Tenant:
    """Fate lets its instances fail one by one."""
    files = (str(which(folder, "{instance}")) for which in (one_broken, one_deaf))
    words = [word for pair in zip(("--broken-while", "--deaf-while"), files, strict=True) for word in pair]
    return program(
        folder,
        name,
        *words,
        scale_policy={"max_instances": MOST[name], **policy},
        ready={"path": "/ready", "timeout": "3s"},
        **settings,
    )


_AIM = {"concurrency": 3, "stable_window": "6s", "panic_window": "1s"}
_RULES = {
    "scale_out": {
        "metric": "concurrency",
        "threshold": 1,
        "duration": "1s",
        "action": "add_instance(1)",
    },
    "scale_in": {
        "metric": "concurrency",
        "threshold": 0.6,
        "duration": "1s",
        "action": "remove_instance(1)",
    },
}


def contained(engine: DockerEngine) -> Tenant:
    """A container, made here, which the provider only starts and stops."""
    words = ["--name", CONTAINER, "--publish", "127.0.0.1::8000", IMAGE, "sh", "-c"]
    engine.run("create", *words, "httpd -p 8000 -h /www; trap 'exit 0' TERM; sleep 100000 & wait")
    run = {"docker": {"container": CONTAINER, "engine": engine.url}}
    settings = {"run": run, "ready": {"path": "/index.html", "timeout": "30s"}, **_common(CONTAINER)}
    return Tenant(CONTAINER, settings, ("page",), diary=False)


def _common(name: str) -> Json:
    idle_after = f"{IDLE_AFTER.get(name, 1.0):g}s"
    return {"hosts": [f"{name}.test"], "idle_after": idle_after, "drain": "5s", "hold": f"{HOLD:g}s"}
