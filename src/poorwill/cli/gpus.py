"""``gpus``: common GPUs, what they cost, and which language models fit on them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from poorwill.cli import given
from poorwill.cli.options import AsJson
from poorwill.errors import BadInput

if TYPE_CHECKING:
    from poorwill.advisor.fit import Need
    from poorwill.advisor.gpus import Gpu

_LONGEST = 10_000_000


def register(app: typer.Typer) -> None:
    app.command()(gpus)


def gpus(
    model: Annotated[str, typer.Option("--model", help="A model, or its size: qwen2.5-7b, 14B.")] = "",
    weights: Annotated[str, typer.Option("--weights", help="Instead: how large its files are: 14GB.")] = "",
    quant: Annotated[
        str, typer.Option("--quant", help="The format of its weights: fp16, int8, int4, q4 ….")
    ] = "fp16",
    context: Annotated[int, typer.Option("--context", help="Tokens for each user.")] = 8192,
    users: Annotated[int, typer.Option("--users", help="How many at the same time.")] = 1,
    gpu: Annotated[str, typer.Option("--gpu", help="Only this one.")] = "",
    as_json: AsJson = False,
) -> None:
    """List common GPUs with their memory and typical price, and say which models fit on them."""
    from poorwill.advisor.gpus import find
    from poorwill.advisor.gpus import gpus as every

    chosen = [find(gpu)] if gpu else list(every())
    wanted = _need(model, weights, quant, context, users)
    if as_json:
        typer.echo(json.dumps(_plain(chosen, wanted), indent=2, ensure_ascii=False))
        return
    _print_table(chosen, wanted)
    lines = [*_about(wanted, model or weights, quant, context, users), *_warnings(chosen)]
    typer.echo("\n" + "\n".join(f"- {line}" for line in lines))


def _need(model: str, weights: str, quant: str, context: int, users: int) -> Need | None:
    """None when no model was named. Raises BadInput."""
    from poorwill.advisor.fit import need, need_of_file, quantisation
    from poorwill.advisor.models import model as by_name

    for option, number, most in (("--context", context, _LONGEST), ("--users", users, 100_000)):
        if not 1 <= number <= most:
            raise BadInput(f"{option} {number}: expected a number from 1 to {most}")
    form = quantisation(quant)
    if model and weights:
        raise BadInput("--model and --weights say the same", hint="leave one of them out")
    if weights:
        return need_of_file(given.memory("--weights", weights), form, context, users)
    return need(by_name(model), form, context, users) if model else None


def _print_table(chosen: list[Gpu], wanted: Need | None) -> None:
    from rich.console import Console
    from rich.table import Table

    heads = (
        "GPU",
        "memory",
        "draws",
        "an hour, typically",
        "at",
        "read",
        "does it fit?" if wanted else "fits up to",
    )
    table = Table(*heads, box=None, pad_edge=False)
    for gpu in chosen:
        price = _typical(gpu)
        table.add_row(
            gpu.name + (" *" if gpu.consumer else ""),
            f"{gpu.memory}GB",
            f"{gpu.watts} W",
            *(price or ("-", "", "")),
            _verdict(gpu, wanted) if wanted else _largest(gpu),
        )
    console = Console() if sys.stdout.isatty() else Console(width=200, soft_wrap=True)
    console.print(table, highlight=False)


def _typical(gpu: Gpu) -> tuple[str, str, str] | None:
    from poorwill.advisor.gpus import typical
    from poorwill.core.money import per_hour_text

    price = typical(gpu.name)
    if price is None:
        return None
    return per_hour_text(price.per_hour, price.currency), price.provider, price.date


def _verdict(gpu: Gpu, wanted: Need) -> str:
    from poorwill.advisor.fit import Verdict

    verdict = wanted.on(gpu.bytes)
    if verdict is not Verdict.NO:
        return "yes" if verdict is Verdict.FITS else "tight"
    cards = wanted.cards(gpu.bytes)
    return f"no; {cards} together do" if cards else "no"


def _largest(gpu: Gpu) -> str:
    """The largest of the common sizes that fits, in two formats, with 8192 tokens for one user."""
    words = []
    for name in ("q4", "fp16"):
        size = largest(gpu.bytes, name)
        words.append(f"{size} ({name})" if size else f"none ({name})")
    return ", ".join(words)


def largest(memory: int, quant: str) -> str:
    """``14B``; empty when not even the smallest fits."""
    from poorwill.advisor.fit import Verdict, need, quantisation
    from poorwill.advisor.models import model

    form = quantisation(quant)
    sizes = ("72B", "32B", "14B", "8B", "3B", "1.5B")
    fits = (size for size in sizes if need(model(size), form, 8192).on(memory) is Verdict.FITS)
    return next(fits, "")


def _about(wanted: Need | None, what: str, quant: str, context: int, users: int) -> Iterator[str]:
    if wanted is None:
        yield "sizes are of language models with 8192 tokens for one user; --model and --quant ask for others"
        return
    from poorwill.core.memory import memory_text

    parts = (("weights", wanted.weights), ("cache", wanted.cache), ("runtime", wanted.runtime))
    told = " + ".join(f"{name} {memory_text(round(amount))}" for name, amount in parts)
    whom = f"{users} users" if users > 1 else "one user"
    yield f"{what} in {quant}, {context} tokens for {whom}: {memory_text(round(wanted.total))} = {told}"
    yield "yes: 90 % of the memory are enough; tight: it may start and then run out of memory"


def _warnings(chosen: list[Gpu]) -> Iterator[str]:
    from poorwill.advisor.fit import ENOUGH

    if any(gpu.bytes < ENOUGH for gpu in chosen):
        small = ", ".join(gpu.name for gpu in chosen if gpu.bytes < ENOUGH)
        yield (
            f"below 12GB ({small}): only small language models with little context, "
            "so this is not a good buy for models of your own"
        )
    if any(gpu.consumer for gpu in chosen):
        yield (
            "* made for people's own computers: NVIDIA's licence of the GeForce driver excludes data centres "
            "(nvidia.com/en-us/drivers/geforce-license), so ask who rents them out; no ECC memory either"
        )
    yield "prices are per GPU and hour, as of the date shown; `poorwill prices NAME` lists all, with sources"


def _plain(chosen: list[Gpu], wanted: Need | None) -> dict[str, Any]:
    from poorwill.advisor.fit import ENOUGH
    from poorwill.advisor.gpus import typical

    def row(gpu: Gpu) -> dict[str, Any]:
        price = typical(gpu.name)
        fits: dict[str, Any] = {"q4": largest(gpu.bytes, "q4"), "fp16": largest(gpu.bytes, "fp16")}
        if wanted is not None:
            fits = {"verdict": str(wanted.on(gpu.bytes)), "gpus_needed": wanted.cards(gpu.bytes)}
        return {
            "name": gpu.name,
            "memory_gb": gpu.memory,
            "bandwidth_gb_per_s": gpu.bandwidth,
            "watts": gpu.watts,
            "consumer": gpu.consumer,
            "small": gpu.bytes < ENOUGH,
            "typical": price and price.model_dump(mode="json"),
            "fits": fits,
        }

    needed = None
    if wanted is not None:
        parts = ("weights", "cache", "runtime", "total")
        needed = {part: round(getattr(wanted, part)) for part in parts}
    return {"needed_bytes": needed, "gpus": [row(gpu) for gpu in chosen]}
