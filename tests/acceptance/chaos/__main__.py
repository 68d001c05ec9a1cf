"""``python -m tests.acceptance.chaos [--seed N] [--cycles N] [--report FILE]``: a long day."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.chaos.laws import breaches
from tests.acceptance.chaos.play import play
from tests.acceptance.chaos.report import report
from tests.docker_engine import DockerEngine


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="what fate throws")
    parser.add_argument("--cycles", type=int, default=200, help="how many sleep/wake cycles at least")
    parser.add_argument("--report", type=Path, help="write the figures into this file, too")
    wanted = parser.parse_args()
    print(f"SEED={wanted.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="poorwill-chaos-"))
    with _engine() as engine:
        began = time.monotonic()
        record = asyncio.run(play(folder, seed=wanted.seed, cycles=wanted.cycles, engine=engine, say=_say))
    figures = report(record, wanted.seed, time.monotonic() - began)
    found = breaches(record)
    words = "\n".join([figures, *(f"BROKEN {one}" for one in found), ""])
    print(words)
    if wanted.report:
        wanted.report.write_text(words)
    print(f"logs and journal: {folder}" if found else "all laws held")
    return 1 if found else 0


@contextlib.contextmanager
def _engine() -> Iterator[DockerEngine | None]:
    """Where one can run: Linux, root, Docker."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("dockerd") is None:
        print("no container takes part: that needs Linux, root and Docker", flush=True)
        yield None
        return
    engine = DockerEngine()
    try:
        engine.create()
        yield engine
    finally:
        engine.destroy()


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main())
