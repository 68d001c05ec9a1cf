"""Running `poorwill` as its users do, in a process of its own and with a clean environment."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POORWILL = (sys.executable, "-m", "poorwill")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("POORWILL")}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


async def command(*words: str, cwd: Path, seconds: float = 120.0, env: Mapping[str, str] = CLEAN) -> Said:
    """Run `poorwill` to its end."""
    process = await asyncio.create_subprocess_exec(
        *POORWILL,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env=dict(env),
    )
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Said(process.returncode, out.decode(), err.decode())
