"""Work out exactly what will be run, so that what cannot work is refused before anything is started."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from poorwill.errors import Permanent, Temporary
from poorwill.host.table import MARK
from poorwill.providers import instances
from poorwill.providers.process.options import PORT, Options

INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""All that a child sees of Poorwill's own environment, which may hold secrets."""

_PORTS = range(20000, 30000)
# Below every system's ephemeral range: a slow program binds its port a minute after it was chosen, and
# an outgoing connection must not have taken it meanwhile.
_recent_ports: deque[int] = deque(maxlen=256)


@dataclass(frozen=True, slots=True)
class Launch:
    """A command that exists, where it runs, and all it sees."""

    argv: tuple[str, ...]
    cwd: Path
    env: dict[str, str]


def plan(options: Options, base: Path, mark: str, port: int | None) -> Launch:
    """``mark`` ends with the instance's id. Raises ``Permanent`` when the folder or the program is missing
    or cannot be used.
    """
    instance = mark.rpartition("/")[2]
    words = [_filled(word, instance, port) for word in options.command]
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env.setdefault("PATH", os.defpath)
    env.update({name: _filled(value, instance, port) for name, value in options.env.items()})
    if port is not None:
        env["PORT"] = str(port)
    env[MARK] = mark
    cwd = _folder(options.cwd, base)
    return Launch(argv=(_program(words[0], cwd, env["PATH"]), *words[1:]), cwd=cwd, env=env)


def free_port() -> int:
    """A loopback port that nothing listens on and that was not handed out lately.

    Raises ``Temporary`` when none was found.
    """
    for _ in range(200):
        port = secrets.choice(_PORTS)
        if port in _recent_ports:
            continue
        with socket.socket() as probe:
            # As servers do: a port with only closed connections left on it is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _recent_ports.append(port)
        return port
    raise Temporary(
        f"no free port was found between {_PORTS.start} and {_PORTS.stop - 1}",
        hint="see what listens there: ss -ltn",
    )


def _filled(text: str, instance: str, port: int | None) -> str:
    with_port = text if port is None else text.replace(PORT, str(port))
    return instances.filled(with_port, instance)


def _folder(cwd: str, base: Path) -> Path:
    folder = base / Path(cwd).expanduser()
    if not folder.exists():
        raise Permanent(f"the folder {folder} does not exist", hint="create it, or correct cwd")
    if not folder.is_dir():
        raise Permanent(f"{folder} is not a folder", hint="cwd must name a folder")
    if not os.access(folder, os.X_OK):
        raise Permanent(f"the folder {folder} may not be entered", hint="check its permissions")
    return folder.absolute()


def _program(name: str, cwd: Path, path: str) -> str:
    if name.startswith("~"):
        name = str(Path(name).expanduser())
    if "/" in name:
        file = cwd / name
        _check_executable(file, name)
        return str(file)
    folders = os.pathsep.join(str(cwd / folder) for folder in path.split(os.pathsep))
    found = shutil.which(name, path=folders)
    if found:
        return found
    raise Permanent(f"the command {name!r} was not found", hint=_missing_hint(name, cwd, path, folders))


def _check_executable(file: Path, name: str) -> None:
    if not file.exists():
        raise Permanent(f"the command {name!r} does not exist", hint=f"there is no {file}")
    if file.is_dir():
        raise Permanent(f"the command {name!r} is a folder", hint="name the program inside it")
    if not os.access(file, os.X_OK):
        raise Permanent(
            f"the command {name!r} is not executable",
            hint=f"chmod +x {file}, or name its interpreter first, such as [python3, {name}]",
        )


def _missing_hint(name: str, cwd: Path, path: str, folders: str) -> str:
    if (cwd / name).exists():
        return f"there is one in {cwd}: write ./{name}"
    if name == "python" and shutil.which("python3", path=folders):
        return "python3 exists here: write that"
    return f"install it, or write its full path; PATH is {path}"


async def refuse_taken(address: tuple[str, int] | None) -> None:
    """Raises Temporary when somebody else already answers where the service is going to.

    Visitors' requests would go to a stranger, and the stranger's answer would count as readiness.
    """
    if address is None:
        return
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(*address)
    except OSError:  # TimeoutError is one
        return
    writer.close()
    raise Temporary(
        f"another program already answers on {address[0]}:{address[1]}",
        hint="`ss -ltnp` shows which; end it, or let Poorwill choose the port with {port} in the command",
    )
