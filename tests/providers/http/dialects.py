"""How some clouds speak, as far as their descriptions use it. Written from their documents, not from ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from tests.providers.http.wire import Asked, Reply


class Machine(Protocol):
    id: str
    shown: str
    starts: int
    values: dict[str, str]


class Dialect(Protocol):
    def lets_in(self, asked: Asked, token: str) -> bool: ...
    def understands(self, asked: Asked) -> tuple[str, str]: ...
    def status(self, machine: Machine) -> Reply: ...
    def details(self, machine: Machine) -> Reply: ...
    def listed(self, machines: Sequence[Machine]) -> Reply: ...
    def accepted(self) -> Reply: ...
    def refused(self, why: str) -> Reply: ...
    def no_stock(self) -> Reply: ...
    def denied(self) -> Reply: ...
    def unknown(self) -> Reply: ...


class AutoDL:
    """Errors in HTTP 200, a raw token, GETs with a body, the address in a call of its own."""

    states: ClassVar[dict[str, str]] = {"off": "shutdown", "stopping": "shutting_down"}

    def lets_in(self, asked: Asked, token: str) -> bool:
        return asked.headers.get("authorization") == token

    def understands(self, asked: Asked) -> tuple[str, str]:
        body = asked.body or {}
        which = body.get("instance_uuid", "")
        what = {
            "GET /api/v1/dev/instance/pro/status": "status",
            "GET /api/v1/dev/instance/pro/snapshot": "details",
            "POST /api/v1/dev/instance/pro/list": "list",
            "POST /api/v1/dev/instance/pro/power_on": "start",
            "POST /api/v1/dev/instance/pro/power_off": "stop",
        }.get(f"{asked.method} {asked.path}", "")
        if what == "start" and body.get("payload") != "gpu":
            what = ""
        if what == "list" and not {"page_index", "page_size"} <= body.keys():
            what = ""
        return what, which

    def _says(self, data: Any) -> Reply:
        return Reply(200, {"code": "Success", "data": data, "msg": ""})

    def _no(self, code: str, words: str) -> Reply:
        return Reply(200, {"code": code, "data": None, "msg": words})

    def status(self, machine: Machine) -> Reply:
        return self._says(self.states.get(machine.shown, machine.shown))

    def details(self, machine: Machine) -> Reply:
        values = machine.values
        service = f"u{machine.starts}-{machine.id}.example.com:8443"
        return self._says(
            {
                "proxy_host": values.get("host"),
                "ssh_port": int(values["ssh_port"]) if "ssh_port" in values else None,
                "root_password": "do-not-show-me",
                "service_6006_domain": values.get("service_6006_domain", service),
            }
        )

    def listed(self, machines: Sequence[Machine]) -> Reply:
        rows = [{"uuid": one.id, "status": self.states.get(one.shown, one.shown)} for one in machines]
        return self._says({"list": rows, "page_index": 1, "result_total": len(rows)})

    def accepted(self) -> Reply:
        return self._says(None)

    def refused(self, why: str) -> Reply:
        return self._no("InstanceStatusError", why)

    def no_stock(self) -> Reply:
        return self._no("Failed", "主机GPU库存不足，请稍后再试")

    def denied(self) -> Reply:
        return self._no("AuthorizeFailed", "登录超时")

    def unknown(self) -> Reply:
        return self._no("NotFound", "实例不存在")


class Vast:
    """A state is put, and null is one."""

    states: ClassVar[dict[str, str | None]] = {"off": "stopped", "starting": None, "stopping": "running"}

    def lets_in(self, asked: Asked, token: str) -> bool:
        return asked.headers.get("authorization") == f"Bearer {token}"

    def understands(self, asked: Asked) -> tuple[str, str]:
        one = re.fullmatch(r"/api/v0/instances/([^/]+)/", asked.path)
        if asked.path == "/api/v0/instances/" and asked.method == "GET":
            return "list", ""
        if one and asked.method == "PUT":
            return {"running": "start", "stopped": "stop"}.get(asked.body.get("state"), ""), one[1]
        return ("status" if one and asked.method == "GET" else ""), one[1] if one else ""

    def _row(self, machine: Machine) -> dict[str, Any]:
        port = machine.values.get("ssh_port")
        return {
            "id": machine.id,
            "actual_status": self.states.get(machine.shown, machine.shown),
            "intended_status": "stopped" if machine.shown == "off" else "running",
            "public_ipaddr": machine.values.get("host"),
            "ssh_host": machine.values.get("host"),
            "ssh_port": int(port) if port else None,
            "ports": {"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "41234"}]} if port else {},
        }

    def status(self, machine: Machine) -> Reply:
        return Reply(200, {"instances": self._row(machine)})

    def details(self, machine: Machine) -> Reply:
        return self.unknown()

    def listed(self, machines: Sequence[Machine]) -> Reply:
        return Reply(200, {"instances": [self._row(one) for one in machines]})

    def accepted(self) -> Reply:
        return Reply(200, {"success": True})

    def refused(self, why: str) -> Reply:
        return Reply(200, {"success": False, "error": "invalid_state", "msg": why})

    def no_stock(self) -> Reply:
        return Reply(410, {"success": False, "error": "no_gpu", "msg": "the GPU is no longer available"})

    def denied(self) -> Reply:
        return Reply(401, {"success": False, "error": "auth_error", "msg": "Invalid user key"})

    def unknown(self) -> Reply:
        return Reply(404, {"success": False, "error": "no_such_instance", "msg": "Instance not found."})


class Hyperstack:
    """Everything by GET. The stop that saves money is to hibernate."""

    states: ClassVar[dict[str, str]] = {
        "off": "HIBERNATED",
        "starting": "RESTORING",
        "running": "ACTIVE",
        "stopping": "HIBERNATING",
    }

    def lets_in(self, asked: Asked, token: str) -> bool:
        return asked.headers.get("api_key") == token

    def understands(self, asked: Asked) -> tuple[str, str]:
        one = re.fullmatch(r"/core/virtual-machines/([^/]+)(?:/([a-z-]+))?", asked.path)
        if asked.method != "GET":
            return "", ""
        if one is None:
            return ("list" if asked.path == "/core/virtual-machines" else ""), ""
        return {None: "status", "hibernate": "stop", "hibernate-restore": "start"}.get(one[2], ""), one[1]

    def _row(self, machine: Machine) -> dict[str, Any]:
        state = self.states.get(machine.shown, machine.shown)
        return {"id": machine.id, "status": state, "floating_ip": machine.values.get("host")}

    def status(self, machine: Machine) -> Reply:
        return Reply(200, {"status": True, "message": "", "instance": self._row(machine)})

    def details(self, machine: Machine) -> Reply:
        return self.unknown()

    def listed(self, machines: Sequence[Machine]) -> Reply:
        return Reply(200, {"status": True, "message": "", "instances": [self._row(one) for one in machines]})

    def accepted(self) -> Reply:
        return Reply(200, {"status": True, "message": "accepted"})

    def refused(self, why: str) -> Reply:
        return Reply(409, {"status": False, "message": why, "error_reason": "conflict"})

    def no_stock(self) -> Reply:
        return Reply(200, {"status": False, "message": "Not enough stock for this flavor"})

    def denied(self) -> Reply:
        return Reply(401, {"status": False, "message": "API key is not valid"})

    def unknown(self) -> Reply:
        return Reply(404, {"status": False, "message": "Not found", "error_reason": "not_found"})


DIALECTS: dict[str, Dialect] = {"autodl": AutoDL(), "vast": Vast(), "hyperstack": Hyperstack()}
