"""Envoy's clusters: where requests are sent on, and how much they may buffer, wait and retry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poorwill.core.target import Tls

Json = dict[str, Any]

CLASSES = ("active", "background", "busy")
BUFFER = 64 * 1024
"""Bytes a connection may buffer; with Envoy's default of 1 MiB, 200 held uploads took 415 MB."""
_UPSTREAM_IDLE = "3s"
"""Kept connections are closed before the service does (uvicorn and Node: after 5 s): a request that meets
a connection just closed is answered 503, and only some may be sent again."""
PLENTY = 1_000_000
"""Circuit breakers stop at 1,024 by default; the bound on held requests is ours, not Envoy's."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """How a service is spoken to; the same for all its instances."""

    http2: bool = False
    tls: Tls | None = None


def cluster_name(service: str, kind: str) -> str:
    return f"{service}/{kind}"


def endpoints_file(service: str) -> str:
    return f"eds-{service}.json"


def service_cluster(service: str, kind: str, upstream: Upstream, folder: Path) -> Json:
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
        **_protocol(http2=upstream.http2, idle_timeout=_UPSTREAM_IDLE),
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
