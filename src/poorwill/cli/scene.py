"""The live view of ``poorwill demo``: what the service does now, and what it cost so far."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from poorwill.cli.receipt import Receipt

_FACES = {
    "asleep": ("asleep", "blue", "nothing runs, nothing is billed"),
    "waking": ("waking up", "yellow", "an instance starts; requests are held, browsers see a waiting page"),
    "awake": ("awake", "green", "requests go straight through Envoy"),
    "draining": ("falling asleep", "yellow", "new requests wait at the gate, open ones end"),
    "stopping": ("stopping", "yellow", "the instance is being stopped"),
    "failed": ("failed", "red", "the last start failed; it is tried again when somebody asks"),
    "unknown": ("unknown", "red", "nobody knows whether it runs"),
}
_SHOWN = 9


def scene(url: str, facts: dict[str, Any], events: list[dict[str, Any]], bill: Receipt) -> Panel:
    """One frame."""
    word, colour, meaning = _FACES[facts["phase"]]
    now = Text.assemble("The service is ", (word, f"bold {colour}"), f": {meaning}.")
    traffic, waiting = facts["traffic"], facts["asked"]["waiting"]
    counts = f"held: {waiting}   open: {traffic['active'] + traffic['busy']}   why: {facts['reason']}"
    invitation = Text.assemble(
        "Open ",
        (url, "bold underline"),
        " in a browser, ask something, then leave the tab alone.\nOr: ",
        (f'curl -d \'{{"question": "How long can a poorwill sleep?"}}\' {url}/api/ask', "italic"),
    )
    parts = (
        invitation,
        Text(),
        now,
        Text(counts, style="dim"),
        Text(),
        _journal(events),
        Text(),
        Text(f"So far: {bill}"),
    )
    return Panel(Group(*parts), title="poorwill demo", subtitle="Ctrl-C ends it", padding=(1, 2))


def _journal(events: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for event in [event for event in events if event["kind"] != "phase"][-_SHOWN:]:
        at = datetime.fromtimestamp(event["at"]).astimezone().strftime("%H:%M:%S")
        seconds = event["detail"].get("seconds")
        what = event["kind"] if seconds is None else f"{event['kind']} after {seconds:.1f} s"
        table.add_row(Text(at, style="dim"), what, Text(event["reason"], style="dim"))
    return table
