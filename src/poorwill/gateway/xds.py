"""From services to Envoy's files: pure rendering, no process and no I/O.

Four kinds of files, each replaced as a whole: ``bootstrap.json`` (listeners and the filter chain, fixed
while Envoy lives), ``rds.json`` (routes: here the gate is switched per service), ``cds.json`` (clusters)
and ``eds-SERVICE.json`` (where the service answers, empty while it is asleep).

Each traffic class of a service has a cluster of its own with the same endpoints, because Envoy keeps
gauges and byte counters per cluster. Cluster names never change while a service exists.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poorwill.gateway import guard
from poorwill.gateway.balance import EXT_AUTHZ
from poorwill.gateway.clusters import (
    BUFFER,
    CLASSES,
    PLENTY,
    Upstream,
    pipe,
    service_cluster,
    unix_cluster,
    watched,
)
from poorwill.gateway.endpoints import assignment
from poorwill.gateway.marks import marking
from poorwill.gateway.members import Placed
from poorwill.gateway.routes import Site, Stray, virtual_hosts
from poorwill.gateway.sticky import remembering

Json = dict[str, Any]

ROUTES = "services"
_TYPE = "type.googleapis.com/envoy."


@dataclass(frozen=True, slots=True)
class Sockets:
    """Unix sockets between Envoy and the control plane."""

    admin: Path
    gate: Path
    hop: Path
    visitors: Path


def sockets_in(folder: Path) -> Sockets:
    return Sockets(
        admin=folder / "envoy.sock",
        gate=folder / "gate.sock",
        hop=folder / "hop.sock",
        visitors=folder / "visitors.sock",
    )


def version_of(resources: object) -> str:
    """A hash of the content. A counter would confirm falsely after a restart that counts from 1 again."""
    return hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()[:16]


def discovery(resources: list[Json]) -> Json:
    return {"version_info": version_of(resources), "resources": resources}


def bootstrap(
    *, node: str, listen: tuple[str, int], sockets: Sockets, folder: Path, http_connections: int = 50_000
) -> Json:
    """Everything that is fixed while Envoy lives."""
    host, port = listen
    return {
        "node": {"id": node, "cluster": "poorwill"},
        # However many visitors there are, the gate and we ourselves get through.
        "admin": {"address": pipe(sockets.admin), "ignore_global_conn_limit": True},
        "static_resources": {
            "listeners": [_ingress(host, port, folder), _hop(sockets)],
            "clusters": [
                unix_cluster("hop", sockets.hop, http2=True),
                unix_cluster("gate", sockets.gate, http2=True),
                unix_cluster("visitors", sockets.visitors, http2=False),
            ],
        },
        "dynamic_resources": {"cds_config": watched(folder / "cds.json")},
        "stats_flush_interval": "0.5s",  # how old what it says about latencies may be; 5 s by default
        "stats_config": {"stats_matcher": {"inclusion_list": {"patterns": _kept_stats()}}},
        "overload_manager": {
            "resource_monitors": [
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": _TYPE + "extensions.resource_monitors.downstream_connections.v3"
                        ".DownstreamConnectionsConfig",
                        "max_active_downstream_connections": http_connections,
                    },
                }
            ]
        },
    }


def routes(
    sites: Iterable[Site], open_services: frozenset[str], stray: Stray, fresh: frozenset[str] = frozenset()
) -> Json:
    """The route table. ``open_services`` go straight through; the others ask the gate first."""
    table = {
        "@type": _TYPE + "config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": 65536,
        "virtual_hosts": virtual_hosts(sites, open_services, stray, fresh),
    }
    return discovery([table])


def clusters(services: Mapping[str, Upstream], folder: Path) -> Json:
    """One cluster for each class of each service."""
    return discovery(
        [
            service_cluster(name, kind, upstream, folder)
            for name, upstream in sorted(services.items())
            for kind in upstream.kinds
        ]
    )


def endpoints(service: str, places: Mapping[str, Placed], nobody: Path | None = None) -> Json:
    """Where a service answers."""
    return discovery([assignment(service, places, nobody)])


def _ingress(host: str, port: int, folder: Path) -> Json:
    return {
        "name": "ingress",
        "address": {"socket_address": {"address": host, "port_value": port}},
        "enable_reuse_port": False,  # with the default two Envoys share a port in silence
        "per_connection_buffer_limit_bytes": BUFFER,
        "filter_chains": [
            {
                "filters": [
                    _http_manager(
                        "ingress",
                        rds={"route_config_name": ROUTES, "config_source": watched(folder / "rds.json")},
                        use_remote_address=True,
                        normalize_path=True,
                        server_header_transformation="PASS_THROUGH",
                        upgrade_configs=[{"upgrade_type": "websocket"}],
                        http_filters=[marking(), *guard.filters(), _ext_authz(), remembering(), _router()],
                        http2_protocol_options={
                            "allow_connect": True,
                            "initial_stream_window_size": BUFFER,
                            "initial_connection_window_size": 1024 * 1024,
                        },
                        http_protocol_options={"accept_http_10": True},  # older proxies speak it
                        strip_trailing_host_dot=True,
                        request_headers_timeout="60s",
                        local_reply_config=_local_replies(),
                    )
                ]
            }
        ],
    }


def _local_replies() -> Json:
    """Envoy's own errors on the way to a service as JSON; the gate's answers (flag UAEX) stay as they are.

    507 is what Envoy says when it cannot keep a large body until there is a connection.
    """
    error = {
        "type": "service_unavailable",
        "code": "service_unreachable",
        "message": "the service did not answer (%RESPONSE_FLAGS%)",
    }
    flags = ["UH", "UF", "URX", "UC", "UR", "UPE"]
    kept = {"op": "EQ", "value": {"default_value": 507, "runtime_key": "unused"}}
    crowded = {**error, "code": "too_many_waiting", "message": "too many requests are waiting"}
    later = {"header": {"key": "retry-after", "value": "5"}}
    return {
        "mappers": [
            {**_flagged(flags), **_said(error)},
            {**_flagged(["UO"]), **_said(crowded), "headers_to_add": [later]},
            {
                "filter": {"status_code_filter": {"comparison": kept}},
                "status_code": 503,
                **_said(error),
            },
        ]
    }


def _flagged(flags: list[str]) -> Json:
    return {"filter": {"response_flag_filter": {"flags": flags}}}


def _said(error: Json) -> Json:
    return {"body_format_override": {"json_format": {"error": error}, "content_type": "application/json"}}


def _hop(sockets: Sockets) -> Json:
    """A route back into this Envoy: its retries outlast a dead control plane, the filter's own do not."""
    route = {
        "match": {"prefix": "/"},
        "route": {
            "cluster": "gate",
            "timeout": "0s",
            "idle_timeout": "0s",
            "retry_policy": {
                "retry_on": "connect-failure,reset,refused-stream,unavailable,cancelled",
                "num_retries": 4_000_000,
                "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
            },
        },
    }
    return {
        "name": "hop",
        "address": pipe(sockets.hop),
        "ignore_global_conn_limit": True,
        "filter_chains": [
            {
                "filters": [
                    _http_manager(
                        "hop",
                        codec_type="HTTP2",
                        route_config={
                            "virtual_hosts": [{"name": "gate", "domains": ["*"], "routes": [route]}]
                        },
                        http_filters=[_router()],
                        http2_protocol_options={"max_concurrent_streams": PLENTY},
                    )
                ]
            }
        ],
    }


def _http_manager(prefix: str, **settings: Any) -> Json:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": _TYPE + "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": prefix,
            "stream_idle_timeout": "0s",  # 5 minutes by default: cuts held requests and quiet streams
            **settings,
        },
    }


def _ext_authz() -> Json:
    return {
        "name": EXT_AUTHZ,
        "typed_config": {
            "@type": _TYPE + "extensions.filters.http.ext_authz.v3.ExtAuthz",
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": "hop"}, "timeout": "0s"},
            "failure_mode_allow": False,
            "status_on_error": {"code": "ServiceUnavailable"},
        },
    }


def _router() -> Json:
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {
            "@type": _TYPE + "extensions.filters.http.router.v3.Router",
            "suppress_envoy_headers": True,
        },
    }


def _kept_stats() -> list[Json]:
    counters = "rq_(active|pending_active|total|completed|cancelled|5xx|time)|cx_[rt]x_bytes_total"
    wanted = (
        rf"cluster\.[^./]+/(slots/)?({'|'.join(CLASSES)})\.(upstream_({counters})|version_text)",
        r"(cluster_manager\.cds|http\.ingress\.rds\.[^.]+)\.(version_text|update_rejected)",
        r"http\.ingress\.downstream_rq_active",
        r"server\.live",
    )
    return [{"safe_regex": {"regex": regex}} for regex in wanted]
