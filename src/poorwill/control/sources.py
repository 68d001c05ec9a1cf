"""Numbers of the user's own: a metric on a page in the Prometheus text format, or what a Prometheus answers.

What is asked belongs to somebody else and may be slow, wrong, huge or gone. Each question ends within
``ANSWER_WITHIN`` seconds with a number or with ``Temporary``, and none of it is read on the event loop.
"""

from __future__ import annotations

import asyncio
import json
import math
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from poorwill.config.source import ADDRESS, Source
from poorwill.control.probe import in_words
from poorwill.errors import Temporary

ANSWER_WITHIN = 5.0
"""Seconds from the question to the last byte of the answer."""

LARGEST = 8 * 1024 * 1024
"""Bytes of an answer, unpacked. A vLLM server has 0.2 MB of metrics, a large exporter 2 MB."""

_ACCEPT = "text/plain;version=0.0.4"


class _Page(NamedTuple):
    """``where`` is what the place is called in sentences: without the query, which may hold a secret."""

    where: str
    status: int
    body: bytes


class Sources:
    """Asks them. Keeps its connections until ``close``."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def value(self, source: Source, addresses: Sequence[str]) -> float:
        """``addresses`` are where the instances answer. Raises ``Temporary`` when there is no number."""
        if source.kind == "promql":
            asks = {"query": source.query, "timeout": f"{ANSWER_WITHIN:g}s"}
            page = await self._page(f"{source.url}/api/v1/query", source, asks)
            values = await asyncio.to_thread(of_query, page)
        else:
            urls = [source.url.replace(ADDRESS, one) for one in addresses] if source.per_instance else []
            pages = await asyncio.gather(*(self._page(url, source) for url in urls or [source.url]))
            values = [one for page in pages for one in await asyncio.to_thread(of_text, page, source)]
        return aggregated(values, source.aggregate)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def _page(self, url: str, source: Source, params: Mapping[str, str] | None = None) -> _Page:
        where, body = url.partition("?")[0], bytearray()
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                client = await self._connected(url)
                headers = {"accept": _ACCEPT, **dict(source.headers)}
                async with client.stream("GET", url, params=params, headers=headers) as answer:
                    async for piece in answer.aiter_bytes():
                        body += piece
                        if len(body) > LARGEST:
                            raise Temporary(f"{where} answers with more than {LARGEST >> 20} MiB")
        except TimeoutError:
            raise Temporary(f"{where} has not answered within {ANSWER_WITHIN:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise Temporary(
                f"{where}: {in_words(error)}", hint="does it run, and is the address right?"
            ) from error
        return _Page(where, answer.status_code, bytes(body))

    async def _connected(self, url: str) -> httpx2.AsyncClient:
        """One client for each scheme: for plain HTTP the certificates would be loaded in vain."""
        scheme = urlsplit(url).scheme
        if scheme not in self._clients:
            trust = await asyncio.to_thread(ssl.create_default_context) if scheme == "https" else False
            if scheme not in self._clients:
                self._clients[scheme] = httpx2.AsyncClient(
                    verify=trust, trust_env=False, timeout=ANSWER_WITHIN
                )
        return self._clients[scheme]


def of_text(page: _Page, source: Source) -> list[float]:
    """The values of the samples that are meant. Raises ``Temporary`` when there are none."""
    if page.status != 200:
        raise _refused(page)
    text = page.body.decode(errors="replace")
    if text.lstrip()[:1] == "<":
        raise Temporary(
            f"{page.where} answers with a web page, not with metrics",
            hint="metrics mostly are at /metrics",
        )
    lines = [line.strip() for line in text.split("\n")]
    ours = [line for line in lines if line.startswith(source.metric)]
    if ours and ours[-1] == lines[-1]:
        raise Temporary(f"{page.where} breaks off in the middle of {source.metric}")
    try:
        families = list(text_string_to_metric_families("\n".join(ours) + "\n"))
    except ValueError as error:
        raise Temporary(
            f"{page.where} has a line that is not in the Prometheus text format: {error}"
        ) from error
    found = [one for family in families for one in family.samples if one.name == source.metric]
    values = [one.value for one in found if set(source.labels) <= set(one.labels.items())]
    if not values:
        missing = "no line with these labels of" if found else "no metric"
        raise Temporary(f"{page.where} has {missing} {source.metric}", hint=f"see curl {page.where}")
    return values


def of_query(page: _Page) -> list[float]:
    """The numbers that a Prometheus server found; an error of its own is told in its own words."""
    try:
        told: Any = json.loads(page.body)
        status = told["status"]
    except (ValueError, TypeError, KeyError):
        if page.status != 200:
            raise _refused(page) from None
        hint = "prometheus: is the address of the server itself, such as http://127.0.0.1:9090"
        raise Temporary(f"{page.where} does not answer like a Prometheus server", hint=hint) from None
    if status != "success":
        words = f"{told.get('errorType', 'error')}: {told.get('error', 'no reason given')}"
        raise Temporary(f"Prometheus says {words[:300]}", hint="try the query in its own web page")
    try:
        kind, result = told["data"]["resultType"], told["data"]["result"]
        rows = (
            [result] if kind == "scalar" else [one["value"] for one in result] if kind == "vector" else None
        )
        values = None if rows is None else [float(number) for _, number in rows]
    except (ValueError, TypeError, KeyError) as error:
        raise Temporary(
            "Prometheus answers with something that is no number", hint="see the query"
        ) from error
    if values is None:
        raise Temporary(f"the query gives a {kind}, not numbers", hint="leave out the [5m] at its end")
    if not values:
        raise Temporary("the query has no result now", hint="`... or vector(0)` makes nothing a 0")
    return values


def aggregated(values: Sequence[float], how: str) -> float:
    """Raises ``Temporary`` when the outcome is no number that can be compared."""
    value = max(values) if how == "max" else sum(values) / (len(values) if how == "avg" else 1)
    if not math.isfinite(value) or not all(map(math.isfinite, values)):
        raise Temporary(f"it is {value} now", hint="dividing by zero gives that: `... > 0` leaves it out")
    return value


def _refused(page: _Page) -> Temporary:
    hint = "a password or token goes into headers:" if page.status in (401, 403) else ""
    return Temporary(f"{page.where} answers {page.status}", hint=hint)
