"""What scripts are told, and what people are told about one that did not do what it should."""

from __future__ import annotations

import re
import shlex

from poorwill.errors import Permanent, ProviderError, Temporary
from poorwill.providers import instances
from poorwill.providers.base import Ran, Shell
from poorwill.providers.process.ending import describe

_EXPLAINED = {
    126: "exit code 126: it cannot be executed",
    127: "exit code 127: a command was not found",
    137: "exit code 137: killed (SIGKILL), often for lack of memory",
    143: "exit code 143: asked to end (SIGTERM)",
}
_TITLE = re.compile(r"^--- \S+ .* ---$")
_SAID = 3

_LOOK = """\
[ -d {folder} ] || {{ echo "no folder"; exit; }}
cd {folder}
set -- {words}
[ ! -e {whole} ] || set -- {whole}
for file; do
  if [ -f "$file" ] && head -n 1 "$file" | grep -q "$(printf '\\r')"; then echo "crlf $file"; fi
done
case $1 in
  */*) if [ -d "$1" ]; then echo "a folder"; elif [ ! -e "$1" ]; then echo "missing"
       elif [ ! -x "$1" ]; then echo "not executable"; else echo "first $(head -n 1 "$1")"; fi ;;
  *) command -v "$1" >/dev/null || {{ [ ! -e "$1" ] || echo "here"; echo "nowhere"; }} ;;
esac
"""
"""Asks the place itself what is wrong with a command; what it prints is understood by ``_hint``."""


def variables(service: str, instance: str) -> dict[str, str]:
    """What a script is told of whom it is called for."""
    return {
        "POORWILL_SERVICE": service,
        "POORWILL_INSTANCE_ID": instance,
        "POORWILL_INSTANCE_NUMBER": instances.values(instance).get("number", ""),
    }


def explained(code: int) -> str:
    return _EXPLAINED.get(code, describe(code))


def last_lines(output: str) -> str:
    """The last of what was printed, on one line, with a colon in front; empty when nothing was."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not _TITLE.match(line)]
    text = " | ".join(line[:200] for line in lines[-_SAID:])
    return f": {text}" if text else ""


def last_line(output: str) -> str:
    return last_lines("\n".join(output.strip().splitlines()[-1:]))


async def failure(shell: Shell, verb: str, line: str, ran: Ran, timeout: float, cwd: str) -> ProviderError:
    """What to raise for a script that did not end with exit code 0."""
    if ran.code is None:
        hint = "it must end once the service runs in the background: add & or nohup to what stays"
        return Temporary(
            f"the {verb} script did not end within {timeout:g} s and was ended{last_lines(ran.output)}",
            hint=hint if verb == "start" else f"see what it waits for, or give it more time: {verb}_timeout",
        )
    unfit = ran.code in (126, 127)
    hint, lasting = await _hint(shell, line, cwd)
    if hint and not (unfit or lasting):
        hint = ""  # its first line is no riddle: it ran
    kind = Permanent if lasting or unfit else Temporary
    return kind(
        f"the {verb} script failed: {explained(ran.code)}{last_lines(ran.output)}",
        hint=hint or "its whole output is in the log of the instance",
    )


async def _hint(shell: Shell, line: str, cwd: str) -> tuple[str, bool]:
    """What to do about it, and whether it fails the same way until somebody does."""
    words = _words(line)
    folder = shlex.quote(cwd or ".")
    look = _LOOK.format(folder=folder, whole=shlex.quote(line), words=" ".join(map(shlex.quote, words)))
    try:
        found = (await shell.run(look, timeout=5)).output
    except ProviderError:
        return "", False  # the place does not answer any more: the script's own failure is what counts
    first = words[0]
    for mark, hint in (
        ("no folder", f"the folder {cwd} does not exist: create it, or correct cwd"),
        ("missing", f"there is no {first} in {cwd or 'the home folder'}"),
        ("a folder", f"{first} is a folder: name the script inside it"),
        ("not executable", f"chmod +x {first}, or write: sh {first}"),
        ("here", f"there is one in {cwd or 'the home folder'}: write ./{first}"),
        ("nowhere", f"{first} was not found: install it, or write its full path"),
    ):
        if mark in found.splitlines():
            return hint, True
    if crlf := re.search(r"^crlf (.*)$", found, re.MULTILINE):
        return f"{crlf[1]} has Windows line endings: sed -i 's/\\r$//' {shlex.quote(crlf[1])}", True
    if interpreter := re.search(r"^first (#!.*)$", found, re.MULTILINE):
        return (
            f"its first line is {interpreter[1]}: see whether that exists, and its output in the log",
            False,
        )
    return "", False


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line) or [line]
    except ValueError:
        return [line]


def runnable(line: str) -> str:
    """The line for sh; when all of it is the path of one file, with spaces in it, that file is meant."""
    if " " in line and "/" in line and not re.search(r"""["'\\$;&|<>`]""", line):
        return f"if [ -f {shlex.quote(line)} ]; then {shlex.quote(line)}; else {line}\nfi"
    return line
