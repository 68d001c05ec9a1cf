"""Envoy's admin interface over its unix socket: readiness, identity, versions, counters."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from poorwill.errors import GatewayError


class Bin(NamedTuple):
    """So many values, from ``lower`` up to ``lower + width``: two digits of each are kept."""

    lower: float
    width: float
    values: int


class Admin:
    """A client of one Envoy. Raises GatewayError when it does not answer."""

    def __init__(self, socket: Path, timeout: float = 5.0) -> None:
        # No TLS on a unix socket: the certificates that `verify` would load are 5 MB.
        transport = httpx2.AsyncHTTPTransport(uds=str(socket), verify=False)
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://envoy", timeout=timeout)

    async def node_id(self) -> str:
        """The node id of the Envoy that answers on the socket."""
        info = await self._get("/server_info")
        return str(info.json().get("node", {}).get("id", ""))

    async def ready(self) -> bool:
        try:
            return (await self._client.get("/ready")).status_code == 200
        except httpx2.TransportError:
            return False

    async def stats(self, pattern: str = "") -> dict[str, int | str]:
        """Counters, gauges and texts whose name matches the regular expression, by name."""
        return (await self.measures(pattern))[0]

    async def measures(self, pattern: str) -> tuple[dict[str, int | str], dict[str, list[Bin]]]:
        """The same, and histograms by name, as they were up to half a second ago."""
        how = {"format": "json", "usedonly": "", "histogram_buckets": "detailed"}
        answer = await self._get("/stats", **how, filter=pattern)
        rows: list[dict[str, Any]] = answer.json()["stats"]
        told = [one for row in rows if "histograms" in row for one in row["histograms"]["details"]]
        histograms = {
            one["name"]: [Bin(each["lower_bound"], each["width"], each["count"]) for each in one["totals"]]
            for one in told
        }
        return {row["name"]: row["value"] for row in rows if "name" in row}, histograms

    async def drain(self) -> None:
        """Stop listening; open requests go on."""
        try:
            (await self._client.post("/drain_listeners")).raise_for_status()
        except httpx2.HTTPError as error:
            raise GatewayError(f"Envoy does not drain: {error}") from error

    async def open_requests(self) -> int:
        stats = await self.stats(r"^http\.ingress\.downstream_rq_active$")
        return int(stats.get("http.ingress.downstream_rq_active", 0))

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self, path: str, **params: str) -> httpx2.Response:
        try:
            answer = await self._client.get(path, params=params)
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise GatewayError(f"Envoy's admin interface does not answer: {error}") from error
        return answer
