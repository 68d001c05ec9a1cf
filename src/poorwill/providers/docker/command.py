"""Running ``docker compose`` where the Compose file is: on this host, or on the service's machine."""

from __future__ import annotations

import asyncio
import os
import posixpath
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from poorwill.errors import Permanent
from poorwill.providers.base import Shell, Surroundings
from poorwill.providers.docker.endpoint import Endpoint

PATIENCE = 6 * 3600.0
"""Seconds for one command. Pulling an image of 30 GB over a slow line takes hours."""

ASK_WITHIN = 30.0
"""Seconds for a question, such as which version there is."""

_INSTALL = (
    "install the Compose plugin (Debian 13 and Ubuntu: sudo apt-get install docker-compose-v2 or "
    "docker-compose; otherwise the package docker-compose-plugin), or create the project by hand: "
    "docker compose up --no-start"
)


@dataclass(frozen=True, slots=True)
class Said:
    """``output`` is what a command printed, ``complaint`` the end of it (of its errors, where kept apart)."""

    code: int
    output: str
    complaint: str


class Command:
    """``log`` holds what the last command printed so far, for people who wait for it."""

    def __init__(self, around: Surroundings, endpoint: Endpoint) -> None:
        self._shell: Shell | None = around.shell
        self._base = around.base
        self._endpoint = endpoint
        self._words: list[str] | None = None
        self._log = around.folder / "compose.log"

    @property
    def is_here(self) -> bool:
        return self._shell is None

    def path(self, file: str) -> str:
        """Where a file is; relative ones belong to the folder of poorwill.yaml, or the machine's home."""
        if self._shell is not None:
            return posixpath.normpath(file)
        return str(Path(os.path.abspath(self._base / Path(file).expanduser())))  # noqa: PTH100  # keeps links

    async def read(self, file: str) -> str | None:
        """A file's text; None when there is no such file."""
        if self._shell is not None:
            ran = await self._shell.run(f"cat -- {shlex.quote(file)}", timeout=ASK_WITHIN)
            return ran.output if ran.code == 0 else None
        try:
            return await asyncio.to_thread(Path(file).read_text, errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Permanent(
                f"{file} cannot be read: {error.strerror}", hint="check its permissions"
            ) from error

    async def compose(self, words: list[str], *, apart: bool = False) -> Said:
        """Run it. With ``apart`` errors are no part of ``output``. Raises Permanent when there is none."""
        if self._words is None:
            self._words = await self._find()
        return await self._run([*self._words, *words], apart=apart)

    def progress(self) -> str:
        """The last line that a command under way has printed; empty when none has."""
        try:
            lines = self._log.read_text(errors="replace").replace("\r", "\n").split("\n")
        except OSError:  # nothing was run yet
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    async def _find(self) -> list[str]:
        plugin = ["docker", *self._endpoint.flags(), "compose"]
        for words in (plugin, ["docker-compose"]):
            if (await self._run([*words, "version"], apart=True, limit=ASK_WITHIN)).code == 0:
                return words
        where = "there" if self._shell else "on this host"
        raise Permanent(
            f"the project is not created yet, and docker compose is not installed {where}", hint=_INSTALL
        )

    async def _run(self, words: list[str], *, apart: bool, limit: float = PATIENCE) -> Said:
        if self._shell is not None:
            return await self._run_there(self._shell, words, apart, limit)
        # Files, never our pipes: a command under way survives a control plane that dies.
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile() as output, self._log.open("w+b") as log:
            try:
                process = await asyncio.create_subprocess_exec(
                    *words,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output if apart else log,
                    stderr=log,
                    env=self._environment(),
                    cwd=self._base,
                    start_new_session=True,
                )
            except OSError as error:
                return Said(127, "", f"{words[0]}: {error.strerror}")
            try:
                async with asyncio.timeout(limit):
                    code = await process.wait()
            except (TimeoutError, asyncio.CancelledError):
                process.terminate()
                await process.wait()
                raise
            errors, printed = _text(log), _text(output)
        return Said(code, printed if apart else errors, _end(errors or printed))

    async def _run_there(self, shell: Shell, words: list[str], apart: bool, limit: float) -> Said:
        line, url = shlex.join(words), self._endpoint.url
        env = {"DOCKER_HOST": url} if url else {}
        ran = await shell.run(f"{line} 2>/dev/null" if apart else line, timeout=limit, env=env)
        if ran.code != 0 and apart:
            ran = await shell.run(line, timeout=limit, env=env)
        return Said(124 if ran.code is None else ran.code, ran.output, _end(ran.output))

    def _environment(self) -> dict[str, str]:
        url = self._endpoint.url
        return {**os.environ, **({"DOCKER_HOST": url} if url and not self._endpoint.of_context else {})}


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return bytes(file.read()).decode(errors="replace")  # type: ignore[attr-defined]


def _end(text: str) -> str:
    """The last few lines, as one."""
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
    return " / ".join(lines[-3:])[-500:] or "it printed nothing"
