"""The service as a process: starting, pretending to load, stopping, being killed, and what is left then."""

from __future__ import annotations

import json
import random
import signal
import socket
import sqlite3
import threading
import time
from pathlib import Path

import httpx2
import psutil
import pytest
from tests.demo.demo_process import DemoProcess, ask, sources
from tests.patience import PATIENCE

from poorwill.demo.passages import split


def test_it_remembers_over_a_restart(process: DemoProcess) -> None:
    with process.start() as client:
        assert client.get("/api/documents").json() == {"documents": []}
        client.post(
            "/api/documents", json={"name": "鸟.md", "text": "# 夜鹰\n夜鹰在冬天冬眠。"}
        ).raise_for_status()
        before = ask(client, "冬眠")
    assert process.stop() == 0
    with process.start("--seed") as client:
        assert ask(client, "冬眠") == before
        assert sources(before) == ["鸟.md"]
        assert len(client.get("/api/documents").json()["documents"]) == 1, "seeded over existing documents"
    assert process.stop() == 0


def test_it_starts_quickly(process: DemoProcess) -> None:
    process.start("--seed").close()
    spent = psutil.Process(process.child.pid).cpu_times()
    # Processor time, since on a shared machine the clock measures the others; nothing else takes time here.
    assert spent.user + spent.system < 0.7
    assert process.stop() == 0


def test_pretended_loading_answers_503_and_says_that_it_is_pretended(process: DemoProcess) -> None:
    began = time.monotonic()
    process.spawn("--startup", "1.5", "--seed")
    with httpx2.Client(base_url=process.url, timeout=PATIENCE) as client:
        statuses: list[int] = []
        while (status := process.health(client)) != 200:
            assert time.monotonic() - began < PATIENCE, process.log()
            statuses.append(status)
            if status:
                refused = client.post("/api/ask", json={"question": "x"})
                if refused.status_code == 503:
                    assert refused.json()["error"] == "loading"
                    assert refused.headers["retry-after"] == "1"
        assert 1.5 <= time.monotonic() - began < 30
        assert 503 in statuses
        assert client.get("/healthz").json()["startup_s"] == 1.5
        page = client.get("/").text
        assert "waits 1.5 s at every start" in page
        assert "Nothing is loaded" in page
    assert "pretending to load a model" in process.log()
    assert process.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_idle_tabs_at_once_and_lets_answers_finish(process: DemoProcess, number: int) -> None:
    question = {"question": "How does a poorwill survive the winter?"}
    with (
        process.start("--seed") as client,
        client.stream("GET", "/heartbeat") as tab,
        client.stream("POST", "/api/ask", json=question, headers={"accept": "text/event-stream"}) as answer,
    ):
        beats = tab.iter_lines()
        assert next(beats) == "event: hello"
        assert json.loads(next(beats).removeprefix("data: "))["status"] == "ready"
        pieces = answer.iter_lines()
        assert next(pieces) == "event: piece"
        process.child.send_signal(number)
        assert "event: done" in list(pieces)
        assert list(beats) == [""]
    assert process.child.wait(timeout=PATIENCE) == 0
    assert "Traceback" not in process.log()


def test_a_stop_while_loading(process: DemoProcess) -> None:
    process.spawn("--startup", "60")
    with httpx2.Client(base_url=process.url, timeout=PATIENCE) as client:
        deadline = time.monotonic() + PATIENCE
        while process.health(client) != 503:
            assert time.monotonic() < deadline, process.log()
    assert process.stop() == 0


def test_a_port_in_use_is_said_so(process: DemoProcess) -> None:
    with socket.create_server(("127.0.0.1", process.port)):
        assert process.spawn().wait(timeout=PATIENCE) == 1
    assert f"error: cannot start on port {process.port}" in process.log()
    assert "Traceback" not in process.log()


def test_a_data_folder_that_is_a_file_is_said_so(process: DemoProcess) -> None:
    process.data.write_text("")
    assert process.spawn().wait(timeout=PATIENCE) == 1
    assert "error: cannot use the data folder" in process.log()
    assert "Traceback" not in process.log()


def test_a_client_that_leaves_in_the_middle_leaves_nothing(process: DemoProcess) -> None:
    with process.start() as client:
        head = b"POST /api/documents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        with socket.create_connection(("127.0.0.1", process.port)) as half:
            half.sendall(head + b'Content-Length: 999\r\n\r\n{"name": "half.txt", "text": "')
        deadline = time.monotonic() + PATIENCE
        while "the client left" not in process.log():
            assert time.monotonic() < deadline, process.log()
            assert client.get("/healthz").status_code == 200
        assert client.get("/api/documents").json() == {"documents": []}
    assert list((process.data / "documents").iterdir()) == []
    assert process.stop() == 0


def _upload_until_killed(url: str, number: int, text: str, stored: set[str]) -> None:
    with httpx2.Client(base_url=url, timeout=PATIENCE) as client:
        for turn in range(10_000):
            name = f"doc-{number}-{turn}.md"
            try:
                response = client.post(
                    "/api/documents", json={"name": name, "text": f"marker{number}x{turn}\n\n{text}"}
                )
            except httpx2.TransportError:
                return
            assert response.status_code == 201, response.text
            stored.add(name)


def _assert_sound(data: Path) -> None:
    """SQLite's and FTS5's own checks, and the index against the very files."""
    database = sqlite3.connect(data / "index.db")
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.execute("INSERT INTO search (search) VALUES ('integrity-check')")
    files = {path.name: path.read_text(encoding="utf-8") for path in (data / "documents").iterdir()}
    indexed: dict[str, list[str]] = {}
    rows = "SELECT d.name, p.text FROM document d JOIN passage p ON p.document = d.id ORDER BY p.id"
    for name, text in database.execute(rows):
        indexed.setdefault(name, []).append(text)
    assert indexed == {name: [passage.text for passage in split(text)] for name, text in files.items()}
    passages = database.execute("SELECT count(*) FROM passage").fetchone()
    assert passages == database.execute("SELECT count(*) FROM search").fetchone()
    database.close()


def test_killed_in_the_middle_of_uploads_nothing_is_half_there(process: DemoProcess) -> None:
    chance = random.Random(7)
    text = "\n\n".join(f"paragraph {number} " + "夜鹰 sleeps. " * 60 for number in range(60))
    stored: set[str] = set()
    for life in range(4):
        process.start().close()
        threads = [
            threading.Thread(
                target=_upload_until_killed, args=(process.url, 10 * life + number, text, stored)
            )
            for number in range(3)
        ]
        before = len(stored)
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + PATIENCE
        while len(stored) < before + 4:
            assert time.monotonic() < deadline, process.log()
            time.sleep(0.002)  # the uploads need the processor
        time.sleep(chance.uniform(0, 0.08))  # not a wait for something: the moment of the blow is to differ
        process.kill()
        for thread in threads:
            thread.join()
    with process.start() as client:
        listed = {document["name"] for document in client.get("/api/documents").json()["documents"]}
        assert stored <= listed, "what was answered with 201 is gone"
        assert len(listed) <= len(stored) + 4 * 3, "more than was ever sent"
        last = max(stored)
        marker = last.removeprefix("doc-").removesuffix(".md").replace("-", "x")
        assert sources(ask(client, f"marker{marker}"))[0] == last
    assert process.stop() == 0
    _assert_sound(process.data)
