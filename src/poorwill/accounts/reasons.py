"""Why something went wrong, in the language of who reads it, as far as Poorwill itself said why."""

from __future__ import annotations

import re

from poorwill.accounts.words import Words

_KNOWN = {
    "not_ready_because": re.compile(r"not ready within (?P<seconds>[\d.e+]+) s: (?P<why>.+)", re.DOTALL),
    "not_ready": re.compile(r"not ready within (?P<seconds>[\d.e+]+) s"),
    "not_there": re.compile(r"the instance was not there after its start"),
    "vanished": re.compile(r"it vanished"),
    "memory": re.compile(r"out of memory: the kernel ended it \(exit code (?P<code>\d+)\)"),
    "killed": re.compile(r"exit code (?P<code>137): killed.*"),
    "code": re.compile(r"exit code (?P<code>\d+)"),
    "signal": re.compile(r"killed by signal (?P<signal>.+)"),
    "stop_failed": re.compile(r"the stop failed: (?P<why>.+)", re.DOTALL),
    "still_there": re.compile(r"it was asked to stop and is still there"),
    "foreign": re.compile(r"nobody needs it, and it is not stopped, because Poorwill did not start it"),
}
"""The reasons that Poorwill gives, by the name of their sentence; what a place says stays as it is."""


def reason(text: str, say: Words) -> str:
    """In words; one that is not known is told as it was written down."""
    for name, pattern in _KNOWN.items():
        if found := pattern.fullmatch(text):
            return say[f"reason.{name}"].format(**found.groupdict())
    return text
