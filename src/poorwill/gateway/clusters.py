"""Envoy's clusters: where requests are sent on, and how much they may buffer, wait and retry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

Json = dict[str, Any]

CLASSES = ("active", "background", "busy")
BUFFER = 64 * 1024
"""Bytes a connection may buffer; with Envoy's default of 1 MiB, 200 held uploads took 415 MB."""
_UPSTREAM_IDLE = "3s"
"""Kept connections are closed before the service does (uvicorn and Node: after 5 s): a request that meets
a connection just closed is answered 503, and only some may be sent again."""
PLENTY = 1_000_000
"""Circuit breakers stop at 1,024 by default; the bound on held requests is ours, not Envoy's."""


def cluster_name(service: str, kind: str) -> str:
    return f"{service}/{kind}"


def endpoints_file(service: str) -> str:
    return f"eds-{service}.json"


def service_cluster(service: str, kind: str, protocol: str, folder: Path) -> Json:
    return {
        "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        "name": cluster_name(service, kind),
        "type": "EDS",
        "eds_cluster_config": {
            "service_name": service,
            "eds_config": watched(folder / endpoints_file(service)),
        },
        "connect_timeout": "5s",
        "lb_policy": "LEAST_REQUEST",
        "ignore_health_on_host_removal": True,
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_probes": 3, "keepalive_time": 30, "keepalive_interval": 10}
        },
        **_cluster_limits(),
        **_protocol(http2=protocol == "http2", idle_timeout=_UPSTREAM_IDLE),
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


def _protocol(*, http2: bool, idle_timeout: str = "3600s") -> Json:
    options: Json = {"http_protocol_options": {}}
    if http2:
        options = {"http2_protocol_options": {"max_concurrent_streams": PLENTY}}
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
