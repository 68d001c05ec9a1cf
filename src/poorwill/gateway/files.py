"""The files that Envoy watches: each replaced as a whole, and read back after a restart of ours."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from poorwill.gateway.balance import EXT_AUTHZ
from poorwill.gateway.clusters import endpoints_file
from poorwill.gateway.endpoints import places_of
from poorwill.gateway.members import Places


class Files:
    """What is in ``folder``; a file is written only when its content has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, str] = {}

    def sweep(self, kept: Iterable[str]) -> None:
        """Remove the files of services that are no more; ``kept`` are the names of the others."""
        names = set(kept)
        for stale in self._folder.glob("eds-*.json"):
            if stale.name not in names:
                stale.unlink()
                self._written.pop(stale.name, None)  # the service may come back with the same content

    def put(self, name: str, resources: dict[str, Any]) -> str:
        version: str = resources["version_info"]
        if self._written.get(name) != version:
            fresh = self._folder / f"{name}.new"
            fresh.touch(mode=0o600)  # digests of keys are not for everybody
            fresh.write_text(json.dumps(resources))
            fresh.replace(self._folder / name)
            self._written[name] = version
        return version

    def open_services(self) -> tuple[set[str], set[str]]:
        """Those that some requests reach without being asked for, and which of these were paced."""
        found: set[str] = set()
        gated: set[str] = set()
        for host in self._first("rds.json").get("virtual_hosts", []):
            for route in host["routes"]:
                cluster, _, kind = route.get("route", {}).get("cluster", "").partition("/")
                if kind:
                    direct = "disabled" in route["typed_per_filter_config"][EXT_AUTHZ]
                    (found if direct else gated).add(cluster)
        return found, found & gated

    def places(self, service: str) -> Places:
        return places_of(service, self._first(endpoints_file(service)))

    def _first(self, name: str) -> dict[str, Any]:
        """The first resource of one of our own files; a torn or foreign file counts as none."""
        try:
            resource: dict[str, Any] = json.loads((self._folder / name).read_text())["resources"][0]
        except (OSError, ValueError, LookupError, TypeError):
            return {}
        return resource
