"""Where a service answers, in Envoy's words, and back again after a restart of ours.

Each endpoint carries the name of its instance. Measured on Envoy 1.40: what is open at an endpoint goes on
and stays countable when its health changes, while counts are gone as soon as it leaves the file. So an
instance that visitors are no longer sent to stays in the file as UNHEALTHY until it is stopped. DRAINING is
the same for everybody but those whose cookie names it (``clusters``).

**Nobody** is a last resort for a service that may have several instances: an address at which there never is
anybody, of a lower priority, used while all others are out of order. There a request fails in the one way
that is tried again; without it Envoy would refuse it at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from poorwill.core.door import Membership
from poorwill.core.target import Target
from poorwill.gateway.members import Placed, Places

Json = dict[str, Any]

OVERRIDE = 1_000_000
"""As long as one endpoint is in order, nothing goes to the next priority: Envoy would begin at 72 %."""

_OWN = "poorwill"
_HEALTH = {Membership.IN: "HEALTHY", Membership.CORDONED: "DRAINING", Membership.OUT: "UNHEALTHY"}
_WISHES = {health: membership for membership, health in _HEALTH.items()}


def assignment(service: str, places: Mapping[str, Placed], nobody: Path | None = None) -> Json:
    hosts = [_endpoint(name, place.target, place.wish) for name, place in places.items() if place.target]
    groups: list[Json] = [{"lb_endpoints": hosts}] if hosts else []
    if hosts and nobody:
        last = {"endpoint": {"address": {"pipe": {"path": str(nobody)}}}}
        groups.append({"priority": 1, "lb_endpoints": [last]})
    return {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": service,
        "endpoints": groups,
        **({"policy": {"overprovisioning_factor": OVERRIDE}} if len(groups) > 1 else {}),
    }


def _endpoint(name: str, target: Target, wish: Membership) -> Json:
    return {
        "endpoint": {
            "address": {"socket_address": {"address": target.ip, "port_value": target.port}},
            **({"hostname": target.name} if target.name else {}),
        },
        "health_status": _HEALTH[wish],
        "metadata": {"filter_metadata": {_OWN: {"instance": name}}},
    }


def places_of(service: str, resource: Json) -> Places:
    """What ``assignment`` was made of. Files of old do not name their only instance, which visitors are sent
    to.
    """
    groups = [group for group in resource.get("endpoints", []) if not group.get("priority")]
    found: Places = {}
    for number, host in enumerate((host for group in groups for host in group["lb_endpoints"]), 1):
        endpoint = host["endpoint"]
        socket = endpoint["address"]["socket_address"]
        own = host.get("metadata", {}).get("filter_metadata", {}).get(_OWN, {})
        target = Target(socket["address"], socket["port_value"], endpoint.get("hostname", ""))
        wish = _WISHES[host.get("health_status", "HEALTHY")]
        found[own.get("instance", f"{service}-{number}")] = Placed(target, wish)
    return found
