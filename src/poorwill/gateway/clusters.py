"""Envoy's clusters: where requests are sent on, and how much they may buffer, wait and retry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poorwill.core.target import Tls
from poorwill.gateway.balance import balancing

Json = dict[str, Any]

CLASSES = ("active", "background", "busy")
_SLOTS = "slots"
"""Requests that need a slot have a cluster of their own, because Envoy counts and caps per cluster."""
BUFFER = 64 * 1024
"""Bytes a connection may buffer; with Envoy's default of 1 MiB, 200 held uploads took 415 MB."""
_UPSTREAM_IDLE = "3s"
"""Kept connections are closed before the service does (uvicorn and Node: after 5 s): a request that meets
a connection just closed is answered 503, and only some may be sent again."""
PLENTY = 1_000_000
"""Circuit breakers stop at 1,024 by default; the bound on held requests is ours, not Envoy's."""


@dataclass(frozen=True, slots=True)
class Slots:
    """How many requests one instance takes at a time.

    ``paths`` are patterns of the requests that count; none means all but the background. They share one
    cluster, so they have one traffic class: ``busy`` when the service has such requests. ``queue`` is how
    many Envoy lets wait when nobody paces them.
    """

    limit: int
    paths: tuple[str, ...] = ()
    busy: bool = False
    queue: int = PLENTY

    @property
    def kind(self) -> str:
        """The traffic class with the mark of the cluster, such as ``slots/active``."""
        return f"{_SLOTS}/{'busy' if self.busy else 'active'}"


@dataclass(frozen=True, slots=True)
class Upstream:
    """How a service is spoken to; the same for all its instances. ``many`` says that it may have several,
    ``sticky`` that a visitor stays with the one that he met first.
    """

    http2: bool = False
    tls: Tls | None = None
    slots: Slots | None = None
    many: bool = False
    sticky: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it has a cluster for."""
        return (*CLASSES, self.slots.kind) if self.slots else CLASSES


def cluster_name(service: str, kind: str) -> str:
    return f"{service}/{kind}"


def endpoints_file(service: str) -> str:
    return f"eds-{service}.json"


def service_cluster(service: str, kind: str, upstream: Upstream, folder: Path) -> Json:
    slots = upstream.slots if upstream.slots and kind == upstream.slots.kind else None
    return {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": cluster_name(service, kind),
        "type": "EDS",
        "eds_cluster_config": {
            "service_name": service,
            "eds_config": watched(folder / endpoints_file(service)),
        },
        "connect_timeout": "5s",
        **balancing(many=upstream.many, sticky=upstream.sticky),
        "ignore_health_on_host_removal": True,
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_probes": 3, "keepalive_time": 30, "keepalive_interval": 10}
        },
        **(_slot_limits(slots, upstream.http2) if slots else _cluster_limits()),
        **_protocol(
            http2=upstream.http2,
            idle_timeout=_UPSTREAM_IDLE,
            streams=slots.limit if slots else PLENTY,
        ),
        **({"transport_socket": _tls(upstream.tls, upstream.http2)} if upstream.tls else {}),
    }


def _tls(tls: Tls, http2: bool) -> Json:
    """The name in the handshake, which the certificate must be for too, is that of each endpoint, so that it
    follows a name that changes at every start.
    """
    name = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
    common: Json = {
        "tls_params": {"tls_maximum_protocol_version": "TLSv1_3"},  # a client's default is 1.2
        "alpn_protocols": ["h2" if http2 else "http/1.1"],
    }
    if tls.ca:
        common["validation_context"] = {"trusted_ca": {"filename": tls.ca}}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"type.googleapis.com/{name}",
            "auto_host_sni": True,
            "auto_sni_san_validation": bool(tls.ca),
            "common_tls_context": common,
        },
    }


def unix_cluster(name: str, path: Path, *, http2: bool) -> Json:
    endpoint = {"endpoint": {"address": pipe(path)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
        **_cluster_limits(),
        **_protocol(http2=http2),
    }


def _cluster_limits() -> Json:
    names = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {
        "per_connection_buffer_limit_bytes": BUFFER,
        "circuit_breakers": {"thresholds": [dict.fromkeys(names, PLENTY)]},
    }


def _slot_limits(slots: Slots, http2: bool) -> Json:
    """Exact at each instance: one connection for each slot, or as many streams on a single connection.

    What is too much waits in Envoy for the next one to be free. ``max_requests`` would be refused instead.
    """
    limits = _cluster_limits()
    [breakers] = limits["circuit_breakers"]["thresholds"]
    breakers["max_pending_requests"] = slots.queue
    limits["circuit_breakers"]["per_host_thresholds"] = [{"max_connections": 1 if http2 else slots.limit}]
    return limits


def _protocol(*, http2: bool, idle_timeout: str = "3600s", streams: int = PLENTY) -> Json:
    options: Json = {"http_protocol_options": {}}
    if http2:
        options = {"http2_protocol_options": {"max_concurrent_streams": streams}}
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "typed_extension_protocol_options": {
            name: {
                "@type": f"type.googleapis.com/{name}",
                "explicit_http_config": options,
                "common_http_protocol_options": {"idle_timeout": idle_timeout},
            }
        }
    }


def watched(path: Path) -> Json:
    # Each file is watched by its own path: a rename in a watched *directory* re-reads all of them.
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def pipe(path: Path) -> Json:
    return {"pipe": {"path": str(path), "mode": 0o600}}
