"""``status``, ``why`` and ``events``: what goes on, and why."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import typer

from poorwill.cli.options import FILE, AsJson, File, Name, find
from poorwill.errors import BadInput, NotRunning

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

_COLOURS = {
    "awake": "green",
    "waking": "yellow",
    "draining": "yellow",
    "stopping": "yellow",
    "failed": "red",
    "unknown": "red",
}


def register(app: typer.Typer) -> None:
    app.command()(status)
    app.command()(why)
    app.command()(events)


def status(file: File = FILE, as_json: AsJson = False) -> None:
    """Show every service: its phase, since when, why, and what comes next."""
    from poorwill.cli.client import Client

    place = find(file)
    rows = Client(place.state).get("/api/v1/services")
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    priced = any(row["cost_today"] for row in rows)
    heads = ["service", "phase", "instances", "since", "why", "next look", *["cost today"] * priced]
    table = Table(*heads, box=None, pad_edge=False)
    zone = ZoneInfo(place.timezone)
    for row in rows:
        running = [instance for instance in row["instances"] if instance["condition"] == "running"]
        colour = _COLOURS.get(row["phase"], "dim")
        table.add_row(
            row["name"],
            f"[{colour}]{row['phase']}[/{colour}]{'[red]![/red]' if row['debt'] else ''}",
            f"{len(running)} of {row['desired']}",
            _clock(row["since"], zone),
            row["reason"],
            _clock(row["next_change"], zone),
            *[_cost(row["cost_today"])] * priced,
        )
    console = _console(Console)
    console.print(table)
    for row in rows:
        if len(row["instances"]) > 1 and any(one["condition"] != "absent" for one in row["instances"]):
            console.print(_instances(row, zone))
    for row in rows:
        if row["debt"]:
            console.print(f"\n! {row['name']}: {debt(row['debt'], zone)}", highlight=False, markup=False)
    for row in rows:
        if lines := [*_week(row), *_plans(row, zone)]:
            where = row.get("timezone", place.timezone)
            console.print(f"\n{row['name']}, the next 7 days ({where}):", highlight=False)
            console.print("\n".join(f"  {line}" for line in lines), highlight=False, markup=False)


def _cost(amounts: list[Json]) -> str:
    from decimal import Decimal

    from poorwill.core.money import sum_text

    return sum_text((Decimal(str(one["amount"])), one["currency"]) for one in amounts)


def _instances(row: Json, zone: ZoneInfo) -> Any:
    """Each of several instances that is there, or should be."""
    from rich.table import Table

    table = Table(
        row["name"], "phase", "in flight", "served", "there since", "answers at", box=None, pad_edge=False
    )
    for one in row["instances"]:
        if one["condition"] == "absent" and one["phase"] == "asleep":
            continue
        colour = _COLOURS.get(one["phase"], "dim")
        phase = f"[{colour}]{one['phase']}[/{colour}]"
        since = _clock(one["since"], zone) if one["age"] is not None else ""
        counts = str(one["in_flight"]), str(one["served"])
        table.add_row(one["id"], phase, *counts, since, one["address"] or "")
    return table


def _week(row: Json) -> list[str]:
    from poorwill.cli.week import week

    return week(row) if "week" in row else []


def _plans(row: Json, zone: ZoneInfo) -> Iterator[str]:
    """What people planned with ``--during``: it goes before the schedule."""
    zone = ZoneInfo(row["timezone"]) if "timezone" in row else zone
    state = {"wake": "awake", "sleep": "asleep"}
    for plan in row["plans"]:
        start, stop = (datetime.fromisoformat(plan[end]).astimezone(zone) for end in ("start", "stop"))
        end = f"{stop:%H:%M}" if stop.date() == start.date() else f"{stop:%a} {stop.day} {stop:%b %H:%M}"
        yield f"{state[plan['kind']]}: {start:%a} {start.day} {start:%b %H:%M}-{end}, planned {plan['by']}"


def why(name: Name, file: File = FILE, as_json: AsJson = False) -> None:
    """Show the facts behind the last decision about a service."""
    from poorwill.cli.client import Client

    place = find(file)
    client = Client(place.state)
    facts = client.get(f"/api/v1/services/{quote(name, safe='')}")
    if as_json:
        typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    zone = ZoneInfo(place.timezone)
    typer.echo(f"{name} is {facts['phase']}: {facts['reason']}")
    for line in _facts(facts, zone):
        typer.echo(f"  {line}")
    if facts["failures"]["in_a_row"] or facts["phase"] == "failed":
        if hint := facts["failures"]["hint"]:
            typer.echo(f"  hint: {hint}")
        if tail := client.get(f"/api/v1/services/{quote(name, safe='')}/log", lines=10):
            typer.echo("  the last lines it printed:")
        for line in tail:
            typer.echo(f"    {line}")


def events(
    name: Annotated[str | None, typer.Argument(help="Only this service.", show_default=False)] = None,
    file: File = FILE,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as events happen.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many of the newest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Read the journal; works also when nothing runs."""
    place = find(file)
    zone = ZoneInfo(place.timezone)
    last = 0
    found = False
    for event in _past(place.state, name, limit):
        last, found = event["id"], True
        _print_event(event, zone, as_json)
    if name and not found:
        raise BadInput(f"the journal knows no service {name!r}", hint="`poorwill status` lists the services")
    if follow:
        from poorwill.cli.client import Client

        about = {"service": name} if name else {}
        for event in Client(place.state).lines("/api/v1/events/follow", after=last, **about):
            _print_event(event, zone, as_json)


def _past(state: Path, name: str | None, limit: int) -> Iterator[Json]:
    from dataclasses import asdict

    from poorwill.store.journal import FILE as JOURNAL
    from poorwill.store.journal import read_only

    if not (state / JOURNAL).exists():
        raise NotRunning(
            f"there is no journal in {state} yet", hint="`poorwill up` begins one; --file names another"
        )
    with read_only(state) as archive:
        for event in reversed(archive.events(service=name, limit=limit, newest_first=True)):
            yield asdict(event)


def _print_event(event: Json, zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        print(json.dumps(event, ensure_ascii=False), flush=True)
        return
    at = datetime.fromtimestamp(event["at"], zone).strftime("%Y-%m-%d %H:%M:%S")
    first = event["instance"] in ("", f"{event['service']}-1")
    who = (event["service"] if first else event["instance"]) or "-"
    words = f"→ {event['detail'].get('phase', '')}" if event["kind"] == "phase" else event["kind"]
    if event["kind"] == "ready" and "seconds" in event["detail"]:
        words += f" after {event['detail']['seconds']:.1f} s"
    print(f"{at}  {who:<16} {words:<12} {event['reason']}".rstrip(), flush=True)


def _facts(facts: Json, zone: ZoneInfo) -> Iterator[str]:
    traffic, asked = facts["traffic"], facts["asked"]
    yield f"open requests: {traffic['active']} active, {traffic['busy']} busy; waiting: {asked['waiting']}"
    yield f"last activity: {_clock(traffic['last_activity'], zone, 'none measured yet')}"
    yield f"last asked for: {_clock(asked['last'], zone)}"
    if facts["foreign"]:
        yield f"not started by Poorwill, so it is not stopped; `poorwill adopt {facts['name']}` changes that"
    if facts["debt"]:
        yield f"! {debt(facts['debt'], zone)}"
    yield f"gate: {facts['gate']}; next look: {_clock(facts['next_change'], zone)}"
    for instance in facts["instances"]:
        asking = instance["probe"] if instance["condition"] == "running" else ""
        words = ", ".join(filter(None, [instance["condition"], instance["detail"], asking]))
        if len(facts["instances"]) > 1:
            if instance["condition"] == "absent" and instance["phase"] == "asleep":
                continue
            words = f"{instance['phase']} ({words}), {instance['in_flight']} in flight"
        yield f"instance {instance['id']}: {words}"
    if hand := facts["hand"]:
        end = _clock(hand["until"], zone) if hand["until"] else f"`poorwill auto {facts['name']}`"
        yield f"{hand['kind']} was said {hand['by']}; it holds until {end}"
    yield from _plans(facts, zone)
    if facts["scale"]:
        from poorwill.cli.scaling import scaling

        yield from scaling(facts["scale"])
    if facts["budgets"]:
        from poorwill.cli.budgets import budgets

        yield from budgets(facts, zone)
    if facts["wakes"]:
        wakes = facts["wakes"]
        yield (
            f"past wakes: median {wakes['median']:.1f} s, 9 of 10 within {wakes['p90']:.1f} s"
            f" (of {wakes['count']})"
        )
    if limit := facts["wakes_by_request"]:
        again = f"; again from {_clock(limit['until'], zone)}" if limit["until"] else ""
        from poorwill.config import format_duration

        span = format_duration(limit["within"])
        yield f"woken by requests: {limit['count']} of {limit['allowed']} within {span}{again}"
    if facts["gpu"]:
        from poorwill.cli.gpu import gpu

        yield gpu(facts["gpu"])
    if facts["failures"]["in_a_row"]:
        yield f"failures in a row: {facts['failures']['in_a_row']}, the last: {facts['failures']['last']}"


def debt(owed: Json, zone: ZoneInfo) -> str:
    """What costs money for nothing, since when, and what can be done."""
    told = "; an alert was given" if owed["told"] else ""
    since = _clock(owed["since"], zone)
    return f"{owed['reason']} (since {since}, {owed['seconds']} s for nothing{told}). Hint: {owed['hint']}"


def _clock(stamp: str | None, zone: ZoneInfo, never: str = "-") -> str:
    from poorwill import clock

    if stamp is None:
        return never
    at = datetime.fromisoformat(stamp).astimezone(zone)
    today = datetime.fromtimestamp(clock.now().wall, zone).date()
    return at.strftime("%H:%M:%S" if at.date() == today else "%Y-%m-%d %H:%M")


def _console(kind: Any) -> Any:
    """Wide when piped, so that no line is folded for a program that reads it."""
    return kind() if sys.stdout.isatty() else kind(width=200, soft_wrap=True)
