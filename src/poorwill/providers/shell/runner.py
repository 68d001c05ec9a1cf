"""The small program that a POSIX shell reads to run one command: the same here and on another machine.

It and not we must see to the time, the size of the output and the exit code: we may be killed, and a
connection may be lost. It is read from standard input, so that no variable shows in the list of processes,
and so that any login shell will do. The command gets a session of its own, and its output goes to a file:
on a pipe, a program that it leaves in the background would end when the pipe does.
"""

from __future__ import annotations

import hashlib
import math
import re
import shlex
from collections.abc import Mapping

from poorwill.errors import Temporary
from poorwill.providers.base import Ran

KEPT = 64 * 1024
"""Bytes of output that are told."""

MOST = 8 * 1024 * 1024
"""Bytes after which the output is cut to its last part. What is printed in that very moment may be lost."""

GRACE = 2.0
"""Seconds between SIGTERM and SIGKILL for a command that took too long."""

_PROGRAM = r"""
mask=$(umask)
umask 077
fail() { echo "failed $*"; exit 125; }
session=
if command -v setsid >/dev/null 2>&1; then session=setsid
elif command -v perl >/dev/null 2>&1; then session='perl -MPOSIX -e POSIX::setsid();exec(@ARGV)'
fi
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null) || boot=none
joined=
if [ -n "$log" ]; then
  kept=1
  case $log in /*) ;; *) log=$PWD/$log ;; esac
  mkdir -p "${log%/*}" && : >>"$log" || fail "$log cannot be written"
  works() {
    read -r job of born 2>/dev/null <"$log.job" && [ ! -e "$log.code" ] &&
      [ "$born" = "$boot" ] && kill -0 "$job" 2>/dev/null
  }
  while works; do
    if [ "$of" = "$digest" ] && [ -z "$joined" ]; then joined=1; echo "group $job"; fi
    sleep 0.1 2>/dev/null || sleep 1
  done
else
  kept=
  log=$(mktemp "${TMPDIR:-/tmp}/poorwill.XXXXXX") || fail "no file can be made for the output"
fi
if [ -n "$joined" ]; then
  before=0
  code=$(cat "$log.code" 2>/dev/null) || code=137
else
  rm -f "$log.code" "$log.late" "$log.cut"
  [ -z "$kept" ] || echo "--- $(date +%Y-%m-%dT%H:%M:%S%z) $title ---" >>"$log"
  before=$(($(wc -c <"$log")))
  (
    variables
    umask "$mask"
    exec $session sh -c '
      trap : TERM INT HUP
      if cd -- "$3"; then sh -c "$4"; code=$?; else code=126; fi
      umask 077
      [ -z "$2" ] || { echo "$code" >"$1.new" && mv -f "$1.new" "$1"; }
      exit "$code"
    ' poorwill "$log.code" "$kept" "$folder" "$command"
  ) </dev/null >>"$log" 2>&1 &
  job=$!
  [ -z "$kept" ] || echo "$job $digest $boot" >"$log.job"
  $session sh -c '
    job=$1 log=$2 left=$3 grace=$4 most=$5 kept=$6 tick=0.2
    sleep 0.2 2>/dev/null || { tick=1; left=$((left / 5)); grace=$((grace / 5)); sleep 1; }
    while left=$((left - 1)); kill -0 "$job" 2>/dev/null; do
      [ "$left" -gt 0 ] || break
      if [ "$(($(wc -c <"$log")))" -gt "$most" ]; then
        tail -c "$kept" "$log" >"$log.cut"; : >"$log"; cat "$log.cut" >>"$log"
      fi
      sleep "$tick"
    done
    kill -0 "$job" 2>/dev/null || exit 0
    : >"$log.late"
    kill -s TERM -- "-$job" || kill -s TERM "$job"
    while kill -0 "$job" && [ "$grace" -gt 0 ]; do sleep "$tick"; grace=$((grace - 1)); done
    kill -s KILL -- "-$job" || kill -s KILL "$job"
  ' poorwill "$job" "$log" "$left" "$grace" "$most" "$told" </dev/null >/dev/null 2>&1 &
  echo "group $job"
  wait "$job"
  code=$?
  [ -z "$kept" ] || [ -e "$log.code" ] || echo "$code" >"$log.code"
fi
new=$(($(wc -c <"$log") - before))
if [ -e "$log.cut" ] || [ "$new" -lt 0 ]; then new=$((new + before)); fi
[ "$new" -le "$told" ] || new=$told
late=
[ ! -e "$log.late" ] || late=late
echo "ended $code $late"
tail -c "$new" "$log"
[ -n "$kept" ] || rm -f "$log" "$log.cut" "$log.late"
exit 0
"""

_GROUP = re.compile(rb"^group (\d+)$", re.MULTILINE)
_ENDED = re.compile(rb"^ended (\d+) (late)?\n", re.MULTILINE)
_FAILED = re.compile(rb"^failed (.*)$", re.MULTILINE)


def program(command: str, *, timeout: float, cwd: str, env: Mapping[str, str], log: str) -> bytes:
    """What the shell is to read. ``cwd`` and ``log`` are relative to where the shell starts."""
    digest = hashlib.sha256(f"{cwd}\0{command}".encode()).hexdigest()[:16]
    exports = "; ".join(f"export {name}={shlex.quote(value)}" for name, value in env.items())
    settings: dict[str, object] = {
        "command": command,
        "folder": cwd or ".",
        "log": log,
        "digest": digest,
        "title": " ".join(command.split())[:100],
        "left": math.ceil(timeout * 5),
        "grace": math.ceil(GRACE * 5),
        "most": MOST,
        "told": KEPT,
    }
    lines = [f"{name}={shlex.quote(str(value))}" for name, value in settings.items()]
    lines.append(f"variables() {{ :; {exports or ':'}; }}")
    return "\n".join([*lines, _PROGRAM]).encode()


def group(said: bytes) -> int | None:
    """The process group of the command, once the shell has named it."""
    found = _GROUP.search(said)
    return int(found[1]) if found else None


def outcome(said: bytes) -> Ran:
    """What came of it. Raises ``Temporary`` when the shell did not get to the end."""
    ended = _ENDED.search(said)
    if ended:
        output = said[ended.end() :].decode(errors="replace")
        return Ran(None if ended[2] else int(ended[1]), output)
    failed = _FAILED.search(said)
    if failed:
        raise Temporary(
            f"the command cannot be run: {failed[1].decode(errors='replace')}",
            hint="see whether the disk is full, and whether this user may write there",
        )
    last = said.decode(errors="replace").strip().splitlines()[-1:]
    words = f": {last[0]}" if last and not _GROUP.search(said) else ""
    raise Temporary(f"the shell ended before the command did{words}", hint="it is tried again")


def ending(job: int) -> bytes:
    """What ends the command of that process group at once."""
    return (
        f"kill -s TERM -- -{job} 2>/dev/null; n=0; "
        f"while kill -0 -- -{job} 2>/dev/null && [ $n -lt {math.ceil(GRACE)} ]; "
        f"do sleep 1; n=$((n + 1)); done; kill -s KILL -- -{job} 2>/dev/null; exit 0\n"
    ).encode()
