"""Which of its instances a service's requests go to, and what keeps them from one that is out of order.

Measured on Envoy 1.40 with 3 instances. ``FULL_SCAN`` looks at all of them and takes the one with the fewest
open requests, by lot where several have as few; a request that waits for a connection or for a slot is not
counted yet. An instance that has died has the fewest of all, so that every request would go there, and
repeating it would not help (of 60 requests, 9 were lost after 20 tries each): it has to be shut out.
``outlier_detection`` does so after three connections in a row that failed, for a second at a time, and never
for more than one instance, lest nobody is left. ``override_host`` sends a request where the gate says
(``slots``); only the gate can write that into what Envoy knows of a request.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

EXT_AUTHZ = "envoy.filters.http.ext_authz"
TO = "to"
"""Under this name the gate says which address a request is to go to."""

PREVIOUS: Json = {
    "retry_host_predicate": [
        {
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3"
                ".PreviousHostsPredicate"
            },
        }
    ],
    "host_selection_retry_max_attempts": 5,
}
"""What is tried once more is tried at another instance, where there is one."""

_POLICIES = "envoy.load_balancing_policies"
_TYPES = "type.googleapis.com/envoy.extensions.load_balancing_policies"


def balancing(*, many: bool, sticky: bool) -> Json:
    """The part of a cluster that says so. ``many``: there may be several instances, counted one by one."""
    common: Json = {
        "healthy_panic_threshold": {"value": 0},  # else all get traffic when most are out
        "update_merge_window": "0s",  # else who is shut out is still tried for up to a second
    }
    if sticky:
        common["override_host_status"] = {"statuses": ["UNKNOWN", "HEALTHY", "DEGRADED", "DRAINING"]}
    fewest = _policy("least_request", "LeastRequest", selection_method="FULL_SCAN")
    return {
        "common_lb_config": common,
        "load_balancing_policy": {"policies": [_as_told(fewest) if many else fewest]},
        **(
            {"outlier_detection": _shut_out(), "track_cluster_stats": {"per_endpoint_stats": True}}
            if many
            else {}
        ),
    }


def _as_told(otherwise: Json) -> Json:
    said = {"metadata": {"key": EXT_AUTHZ, "path": [{"key": TO}]}}
    return _policy(
        "override_host",
        "OverrideHost",
        override_host_sources=[said],
        fallback_policy={"policies": [otherwise]},
    )


def _policy(name: str, kind: str, **settings: Any) -> Json:
    config = {"@type": f"{_TYPES}.{name}.v3.{kind}", **settings}
    return {"typed_extension_config": {"name": f"{_POLICIES}.{name}", "typed_config": config}}


def _shut_out() -> Json:
    """Only what fails before it arrives counts; what an instance answers is its own affair."""
    others = ("consecutive_5xx", "consecutive_gateway_failure", "success_rate", "local_origin_success_rate")
    return {
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "enforcing_consecutive_local_origin_failure": 100,
        **{f"enforcing_{one}": 0 for one in (*others, "failure_percentage")},
        "interval": "0.25s",
        "base_ejection_time": "1s",
        "max_ejection_time": "1s",
        "max_ejection_percent": 1,
        "always_eject_one_host": True,
    }
