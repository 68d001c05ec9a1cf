"""The commands of the command line against a running program, and without one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

import httpx2
import psutil
import pytest
import pytest_asyncio
from tests.acceptance.commands import CLEAN, POORWILL, command
from tests.acceptance.conftest import Start
from tests.acceptance.running import DEEDS, PATIENCE, Json, Up, host, service, until
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")


def services(folder: Path) -> dict[str, Json]:
    return {name: service(folder, name) for name in ("alpha", "beta", "gamma")}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(shared_up: Start) -> Up:
    return await shared_up(services)


async def test_status_lists_every_service(gateway: Up) -> None:
    said = await gateway.cli("status", "--json")
    assert said.code == 0
    rows = said.json()
    assert [row["name"] for row in rows] == ["alpha", "beta", "gamma"]
    for row in rows:
        assert {"name", "phase", "instances", "desired", "reason", "since", "next_change"} <= row.keys()
        assert row["reason"]
    table = await gateway.cli("status")
    assert table.code == 0
    assert all(name in table.out for name in ("alpha", "beta", "gamma"))


async def test_wake_sleep_and_auto(gateway: Up) -> None:
    assert (await gateway.cli("wake", "alpha")).code == 0
    row = await gateway.until_phase("alpha", "awake")
    assert (row["desired"], row["hand"]["kind"]) == (1, "wake")
    assert (await gateway.cli("sleep", "alpha")).code == 0
    await gateway.until_phase("alpha", "asleep")
    assert (await gateway.cli("auto", "alpha")).code == 0
    assert (await gateway.status("alpha"))["hand"] is None
    kinds = [event["kind"] for event in gateway.events("alpha", "wake", "sleep", "auto")]
    assert kinds == ["wake", "sleep", "auto"]


async def test_why_tells_the_facts(gateway: Up) -> None:
    said = await gateway.cli("why", "beta")
    assert said.code == 0
    assert said.out.startswith("beta is asleep: nobody asks for it")
    assert (await gateway.cli("why", "beta", "--json")).json()["name"] == "beta"


@pytest.mark.parametrize(
    "words", [("why", "nobody"), ("wake", "nobody"), ("sleep", "nobody"), ("auto", "nobody")]
)
async def test_a_service_that_does_not_exist(gateway: Up, words: tuple[str, ...]) -> None:
    said = await gateway.cli(*words)
    assert said.code == 2
    assert "there is no service 'nobody'" in said.err
    assert "alpha, beta, gamma" in said.err


@pytest.mark.parametrize(
    "words",
    [("wake", "alpha", "--for", "soon"), ("wake", "alpha", "--for", "0s"), ("wake",), ("nonsense",)],
)
async def test_words_that_make_no_sense(gateway: Up, words: tuple[str, ...]) -> None:
    said = await command(*words, "--file", str(gateway.file), cwd=gateway.folder)
    assert said.code == 2
    assert said.err
    assert "Traceback" not in said.err


async def test_events_are_read_as_json_and_followed(gateway: Up) -> None:
    process = await asyncio.create_subprocess_exec(
        *POORWILL,
        *("events", "gamma", "--json", "--follow", "--file", str(gateway.file)),
        stdout=asyncio.subprocess.PIPE,
        env=CLEAN,
    )
    assert process.stdout is not None
    first = json.loads(await process.stdout.readline())
    assert first["service"] == "gamma"
    assert (await gateway.client().get("/", headers=host("gamma"))).status_code == 200
    seen = []
    async with asyncio.timeout(PATIENCE):
        while "stopped" not in seen:
            seen.append(json.loads(await process.stdout.readline())["kind"])
    process.terminate()
    await process.wait()
    told = ["woken", "start", "started", "ready", "stop", "stopped"]
    assert [kind for kind in seen if kind in DEEDS] == told
    past = await gateway.cli("events", "gamma", "--limit", "3", "--json")
    events = [json.loads(line) for line in past.out.splitlines()]
    assert len(events) == 3
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)


async def test_the_admin_api_wants_a_token(gateway: Up) -> None:
    client = gateway.client()
    url = f"http://127.0.0.1:{gateway.admin}"
    assert (await client.get(f"{url}/healthz")).json()["status"] == "ok"
    assert (await client.get(f"{url}/api/v1/services")).status_code == 401
    wrong = {"authorization": "Bearer nonsense"}
    assert (await client.post(f"{url}/api/v1/down", headers=wrong)).status_code == 401
    token = (gateway.state / "admin-token").read_text().strip()
    rows = await client.get(f"{url}/api/v1/services", headers={"authorization": f"Bearer {token}"})
    assert [row["name"] for row in rows.json()] == ["alpha", "beta", "gamma"]


async def test_files_and_sockets_are_private(gateway: Up) -> None:
    sockets = list((gateway.state / "run").iterdir())
    assert {one.name for one in sockets} >= {"control.sock", "gate.sock", "hop.sock", "envoy.sock"}
    for one in sockets:
        assert one.stat().st_mode & 0o077 == 0, one
    for name in ("admin-token", "journal.db"):
        assert (gateway.state / name).stat().st_mode & 0o077 == 0, name


# --- with a program of the test's own ------------------------------------------------------------


async def test_reload_adds_removes_and_changes_services(up: Start, tmp_path: Path) -> None:
    gateway = await up({name: service(tmp_path, name, idle_after="1m") for name in ("stays", "leaves")})
    client = gateway.client()
    assert (await client.get("/", headers=host("stays"))).status_code == 200
    leaves = (await client.get("/", headers=host("leaves"))).json()["pid"]
    gateway.services = {
        "stays": service(tmp_path, "stays", idle_after="3s"),
        "comes": service(tmp_path, "comes", idle_after="1m"),
    }
    gateway.write()
    said = await gateway.cli("reload")
    assert said.code == 0
    assert said.out.strip() == "added: comes; removed: leaves; changed: stays"
    assert (await client.get("/", headers=host("comes"))).status_code == 200
    await until(lambda: not psutil.pid_exists(leaves), "the removed service sleeps")

    async def unknown() -> bool:
        return (await client.get("/", headers=host("leaves"))).status_code == 404

    await until(unknown, "its host is unknown now")
    row = await gateway.until_phase("stays", "asleep")
    assert gateway.starts("stays") == 1, "a new idle time is no reason to restart it"
    assert row["idle_after"] == 3.0
    names = [row["name"] for row in (await gateway.cli("status", "--json")).json()]
    assert names == ["comes", "stays"]
    gateway.services = {**gateway.services, "leaves": service(tmp_path, "leaves")}
    gateway.write()
    assert (await gateway.cli("reload")).out.strip() == "added: leaves"
    assert (await client.get("/", headers=host("leaves"))).status_code == 200
    assert (await gateway.cli("reload")).out.strip() == "Nothing changed."


async def test_a_changed_command_holds_from_the_next_wake_on(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", idle_after="1m")})
    client = gateway.client()
    before = (await client.get("/", headers=host("it"))).json()["pid"]
    gateway.services = {"it": service(tmp_path, "it", "--refuse", "2", idle_after="1m")}
    gateway.write()
    assert (await gateway.cli("reload")).out.strip() == "changed: it"
    assert (await client.get("/", headers=host("it"))).json()["pid"] == before
    assert (await gateway.cli("sleep", "it")).code == 0
    await gateway.until_phase("it", "asleep")
    assert (await gateway.cli("auto", "it")).code == 0
    assert (await client.get("/new", headers=host("it"))).status_code == 200
    assert gateway.requests("it")[-4:] == ["GET /ready"] * 3 + ["GET /new"]


async def test_a_bad_file_changes_nothing(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", idle_after="1m")})
    client = gateway.client()
    pid = (await client.get("/", headers=host("it"))).json()["pid"]
    good = gateway.file.read_text()
    gateway.file.write_text(good.replace('"idle_after"', '"idle_afer"'))
    said = await gateway.cli("reload")
    assert said.code == 2
    assert "idle_afer" in said.err
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: "idle_afer" in gateway.log.read_text(), "the log says what is wrong")
    gateway.file.write_text(good.replace(f":{gateway.listen}", f":{free_port()}"))
    moved = await gateway.cli("reload")
    assert moved.code == 2
    assert "listen cannot change while Poorwill runs" in moved.err
    assert "hint: " in moved.err
    gateway.file.write_text(good)
    assert (await client.get("/", headers=host("it"))).json()["pid"] == pid
    gateway.process.send_signal(signal.SIGHUP)
    await until(lambda: gateway.events("", "reload"), "a good file is taken by a signal too")


async def test_down_puts_everything_to_sleep_and_ends(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", "--linger", "0.5", idle_after="1m")})
    assert (await gateway.client().get("/", headers=host("it"))).status_code == 200
    process = gateway.process
    said = await gateway.cli("down")
    assert said.code == 0
    assert "asleep" in said.out
    assert process is not None
    assert process.wait(PATIENCE) == 0
    gateway.process = None
    assert gateway.left() == []
    past = await gateway.cli("events", "--json")
    assert past.code == 0, "the journal can be read when nothing runs"
    kinds = [json.loads(line)["kind"] for line in past.out.splitlines()]
    assert kinds[-1] == "down"
    assert "stopped" in kinds
    for words in (("status",), ("why", "it"), ("wake", "it"), ("reload",), ("down",)):
        nobody = await gateway.cli(*words)
        assert nobody.code == 1, words
        assert "no `poorwill up` runs" in nobody.err
        assert "hint: " in nobody.err


async def test_down_waits_for_work_and_down_now_does_not(up: Start, tmp_path: Path) -> None:
    gateway = await up({"it": service(tmp_path, "it", traffic={"busy": ["/work"]}, idle_after="1m")})
    client = gateway.client()
    working = asyncio.create_task(client.get("/work?seconds=60", headers=host("it")))
    await until(lambda: "GET /work?seconds=60" in gateway.requests("it"), "the work has begun")
    process = gateway.process
    said = await gateway.cli("down", "--wait", "1.5")
    assert said.code == 1
    assert "work is in flight" in said.err
    late = await client.get("/", headers=host("it"))
    assert late.json()["error"]["code"] == "gateway_closing"
    awake = await gateway.cli("wake", "it")
    assert awake.code == 2, "nobody can call the end off"
    assert (await gateway.cli("down", "--now")).code == 0
    assert process is not None
    assert process.wait(PATIENCE) == 0
    gateway.process = None
    with contextlib.suppress(httpx2.RemoteProtocolError):  # in its first seconds it is sent again
        assert (await working).status_code == 503
    assert gateway.left() == []


async def test_without_a_program(tmp_path: Path) -> None:
    first = await command("init", cwd=tmp_path)
    assert first.code == 0
    again = await command("init", cwd=tmp_path)
    assert again.code == 2
    assert "exists already" in again.err
    checked = await command("check", cwd=tmp_path)
    assert checked.code == 0
    assert "is fine" in checked.out
    events = await command("events", cwd=tmp_path)
    assert events.code == 1
    assert "there is no journal" in events.err
    schema = await command("schema", cwd=tmp_path)
    assert json.loads(schema.out)["properties"]["services"]
    assert (await command("--version", cwd=tmp_path)).code == 0
    assert (await command("--help", cwd=tmp_path)).code == 0
    assert (await command(cwd=tmp_path)).code in (0, 2)


async def test_what_init_writes_really_runs(tmp_path: Path) -> None:
    await command("init", cwd=tmp_path)
    file = tmp_path / "poorwill.yaml"
    gateway = Up(tmp_path, {})
    text = file.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{gateway.listen}")
    text = text.replace("127.0.0.1:8081", f"127.0.0.1:{gateway.admin}").replace("./poorwill-state", "./state")
    text = text.replace("[python3,", f"[{sys.executable},")
    gateway.write = lambda: file.write_text(text)  # type: ignore[method-assign, assignment, return-value]
    try:
        await gateway.start()
        answer = await gateway.client().get("/poorwill.yaml")
        assert answer.status_code == 200
        assert answer.text == text
        await gateway.finish()
    finally:
        await gateway.wipe()


async def test_down_does_not_claim_what_nobody_knows(up: Start, tmp_path: Path) -> None:
    known = tmp_path / "known"
    status = f"test -e {known} && exit 1; exit 9"
    run = {"command": {"start": "true", "stop": "true", "status": status}}
    gateway = await up({"it": {"run": run, "address": "127.0.0.1:9"}})
    await gateway.until_phase("it", "unknown")
    said = await gateway.cli("down", "--now")
    assert said.code == 1
    assert "nobody knows whether it runs" in said.err
    known.touch()  # so that the next life can end well
