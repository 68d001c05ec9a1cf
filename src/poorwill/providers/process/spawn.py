"""Start a child that owes us nothing: own session, own files, no pipe that could die with us."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from poorwill.errors import Permanent, Temporary
from poorwill.providers.process import log
from poorwill.providers.process.launch import Launch

SHELL = "/bin/sh"

WRAPPER_MARK = "POORWILL_WRAPPER"
"""A variable that only the wrapper carries: tells it from the processes below it."""

# Traps instead of ignored signals: what a shell ignores its children ignore too, what it traps they get
# as by default. The one line is short enough for a single write, and a reader takes whole lines only.
_WRAPPER = f"""\
trap : TERM INT HUP
ending=$1
shift
unset {WRAPPER_MARK}
"$@"
code=$?
echo "$code $$" > "$ending"
exit "$code"
"""


def spawn(launch: Launch, log_file: Path, exit_file: Path, title: str) -> int:
    """Start the wrapper around the command; returns its PID, which is also its group and session.

    Nothing waits for it: who watches it must reap it. Raises ``Permanent`` or ``Temporary``.
    """
    try:
        exit_file.unlink(missing_ok=True)
        with log.opened(log_file) as output:
            log.separate(output, title)
            process = subprocess.Popen(
                [SHELL, "-c", _WRAPPER, "poorwill", str(exit_file), *launch.argv],
                cwd=launch.cwd,
                env={**launch.env, WRAPPER_MARK: "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except (PermissionError, FileNotFoundError, NotADirectoryError) as error:
        raise Permanent(
            f"the process cannot be started: {error}",
            hint=f"check the permissions of {error.filename or log_file.parent}",
        ) from error
    except OSError as error:
        raise Temporary(
            f"the process cannot be started: {error}",
            hint="the host may be short of memory, processes, open files or disk space",
        ) from error
    process.returncode = 0  # Popen must neither reap it nor warn: the watcher does, by PID
    return process.pid


def ensure_folder(folder: Path) -> None:
    """Raises ``Permanent`` when the provider's folder cannot be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Permanent(f"{folder} cannot be created: {error.strerror}", hint="see its parent") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Permanent(f"{folder} is not writable", hint="check the owner of the state folder")
