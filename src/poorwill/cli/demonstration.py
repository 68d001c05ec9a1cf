"""``poorwill demo``: the whole story on the bundled example, played by itself or to be played with."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from poorwill import clock
from poorwill.cli.receipt import receipt
from poorwill.cli.stage import Stage, stage
from poorwill.errors import PoorwillError

FACT = "The wine cellar key hangs behind the blue door of the boathouse."
QUIET = 8.0
"""Seconds of the story in which nobody asks."""
QUESTION = "Where does the wine cellar key hang?"


class Failed(PoorwillError):
    """A step of the story did not hold."""


def play(listen: str | None, folder: Path | None) -> None:
    """Play the story unattended, printing each step and its time; raises Failed at the first that fails."""
    with (
        tempfile.TemporaryDirectory(prefix="poorwill-demo-") as temporary,
        stage(folder or Path(temporary), listen, startup=1.5, idle_after="4s") as running,
    ):
        _Story(running).tell()


class _Story:
    def __init__(self, running: Stage) -> None:
        self._stage = running
        self._http = httpx2.Client(base_url=running.url, timeout=60, trust_env=False)
        self._begun = clock.now().mono

    def tell(self) -> None:
        with self._step("the service is asleep, nothing runs"):
            self._until("asleep", 10)
            self._hold(not self._instances(), "an instance runs although nobody asked")
        with self._step("a browser gets a waiting page at once, and the service starts"):
            answer = self._http.get("/", headers={"accept": "text/html", "sec-fetch-dest": "document"})
            self._hold(answer.status_code == 503, f"the page came with {answer.status_code}, not 503")
            self._hold("retry-after" in answer.headers, "there is no Retry-After")
        with self._step("a program's first request is held until it can be answered") as note:
            began = clock.now().mono
            self._http.post("/api/documents", json={"name": "house.txt", "text": FACT}).raise_for_status()
            note(f"held for {clock.now().mono - began:.1f} s, then answered")
        with self._step("the question is answered from the document"):
            self._ask()
        with self._step("while it is awake nothing but Envoy is in the way") as note:
            self._until("awake", 5)
            before = self._stage.status()["checks"]
            began = clock.now().mono
            for _ in range(100):
                self._http.get("/api/documents").raise_for_status()
            note(f"100 requests, {(clock.now().mono - began) * 10:.1f} ms each")
            self._hold(self._stage.status()["checks"] == before, "the control plane was asked")
        with self._step("an open tab that does nothing does not keep it awake: it falls asleep") as note:
            with self._http.stream("GET", "/heartbeat"):
                began = clock.now().mono
                self._until("asleep", 30)
            note(f"asleep {clock.now().mono - began:.1f} s after the last question")
            self._hold(not self._instances(), "the instance still runs")
        with self._step("nobody asks: nothing runs, nothing is billed"):
            time.sleep(QUIET)
            self._hold(self._stage.status()["phase"] == "asleep", "it woke although nobody asked")
        with self._step("the next question wakes it, and yesterday's document is still there"):
            self._ask()
        with self._step("asleep again"):
            self._until("asleep", 30)
        self._receipt()

    @contextmanager
    def _step(self, title: str) -> Iterator[Callable[[str], None]]:
        notes: list[str] = []
        yield notes.append
        at = clock.now().mono - self._begun
        detail = f" ({'; '.join(notes)})" if notes else ""
        print(f"{at:6.1f} s  ok  {title}{detail}", flush=True)

    def _ask(self) -> None:
        answer = self._http.post("/api/ask", json={"question": QUESTION})
        answer.raise_for_status()
        self._hold("blue door" in answer.json()["answer"], f"the answer is wrong: {answer.text[:200]}")

    def _instances(self) -> list[str]:
        return [i["id"] for i in self._stage.status()["instances"] if i["condition"] != "absent"]

    def _until(self, phase: str, seconds: float) -> None:
        deadline = clock.now().mono + seconds
        while (row := self._stage.status())["phase"] != phase:
            if clock.now().mono > deadline:
                raise Failed(f"not {phase} after {seconds:g} s, but {row['phase']}: {row['reason']}")
            time.sleep(0.05)

    def _hold(self, true: bool, otherwise: str) -> None:
        if not true:
            raise Failed(otherwise, hint="the log and journal are in the demo's folder; --folder keeps it")

    def _receipt(self) -> None:
        print(f"\nReceipt: {receipt(self._stage.state, clock.now().wall)}")


def show(listen: str | None, folder: Path | None) -> None:
    """Run the example for a person to play with, and show what happens, until Ctrl-C."""
    home = folder or Path("poorwill-demo")
    with stage(home, listen, startup=3.0, idle_after="20s") as running:
        try:
            if sys.stdout.isatty():
                _live(running)
            else:
                _plain(running)
        except KeyboardInterrupt:
            print("\nPutting everything to sleep …", flush=True)
    print(f"Its documents and journal stay in {home}/ for the next time.")


def _plain(running: Stage) -> None:
    print(f"Open {running.url} in a browser. Ctrl-C ends the demo.", flush=True)
    for event in running.client.lines("/api/v1/events/follow", after=0):
        print(json.dumps(event, ensure_ascii=False), flush=True)


def _live(running: Stage) -> None:
    from rich.live import Live

    from poorwill.cli.scene import scene

    with Live(refresh_per_second=8, screen=False) as live:
        while running.child.poll() is None:
            events = running.events()
            live.update(scene(running.url, running.why(), events, receipt(running.state, clock.now().wall)))
            time.sleep(0.15)
