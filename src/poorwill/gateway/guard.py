"""Passwords and keys, asked for by Envoy itself before the gate is.

A script inside Envoy (``guard.lua``) looks at what a visitor shows, and says so when it is right. The filter
behind it turns away whatever the script did not say that of: Envoy would let a request pass when a script
breaks down. Both are switched on by the routes of guarded services only, so that a changed key is a changed
route, and no connection is cut.

Envoy knows digests only, never a password or a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from poorwill.gateway import pages
from poorwill.gateway.words import FALLBACK, LANGUAGES

Json = dict[str, Any]

LUA = "envoy.filters.http.lua"
RBAC = "envoy.filters.http.rbac"
TELL = "/guessed/"
"""Where the script tells of an address that guesses. No visitor's path leads there."""

_KINDS = {"locked": None, "guessing": 3}
"""What a visitor is told, and after how many seconds to come again."""

_SERVICE = "THE-SERVICE"
"""Stands in the errors for the name that ``guard.lua`` puts there."""

_TYPE = "type.googleapis.com/envoy.extensions.filters.http."
_ON = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}
_SAID = "poorwill.guard"
"""Where the script says that a request has passed; the same name stands in ``guard.lua``."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Who may come in to one service.

    ``users`` maps names to (salt, SHA-256 of ``salt:name:password``), ``keys`` the SHA-256 of a key to the
    name of whoever has it. ``open_paths`` are open to everybody: an exact path, or ``/prefix/*``. With
    ``forward`` the service sees what the visitor showed.
    """

    users: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    open_paths: tuple[str, ...] = ()
    forward: bool = False


def filters() -> list[Json]:
    """For the fixed chain of every listener with visitors; off where a route does not switch them on."""
    lua = {"@type": f"{_TYPE}lua.v3.Lua", "default_source_code": {"inline_string": _script()}}
    latch = {"@type": f"{_TYPE}rbac.v3.RBAC", "rules": _only_passed()}
    return [
        {"name": LUA, "disabled": True, "typed_config": lua},
        {"name": RBAC, "disabled": True, "typed_config": latch},
    ]


def on_route(service: str, guard: Guard | None, prefix: str = "") -> Json:
    """The settings of a route, by filter; ``prefix`` is what visitors have in front of the paths."""
    if guard is None:
        return {}
    context = _context(service, guard, prefix)
    return {LUA: {"@type": f"{_TYPE}lua.v3.LuaPerRoute", "filter_context": context}, RBAC: _ON}


def off_route(guard: Guard | None) -> Json:
    """The settings of a route on which Envoy itself tells everybody the same. They are needed: Envoy chooses
    the filters of a request by its first route, and a mark may lead it to another one (``marks``).
    """
    if guard is None:
        return {}
    return {
        LUA: {"@type": f"{_TYPE}lua.v3.LuaPerRoute", "disabled": True},
        RBAC: {"@type": f"{_TYPE}rbac.v3.RBACPerRoute"},
    }


def _context(service: str, guard: Guard, prefix: str) -> Json:
    """One text: Envoy reads all routes at each change of one, and structures cost it far more."""
    paths = [prefix + path for path in guard.open_paths]
    lock = "\n".join(
        (
            f"realm {service}",
            *(f"user {name} {salt} {digest}" for name, (salt, digest) in guard.users.items()),
            *(f"key {digest} {name}" for digest, name in guard.keys.items()),
            *(f"below {path[:-1]}" if path.endswith("/*") else f"open {path}" for path in paths),
            *(("forward yes",) if guard.forward else ()),
        )
    )
    return {"version": hashlib.sha256(lock.encode()).hexdigest()[:16], "lock": lock}


def _only_passed() -> Json:
    said = {"filter": _SAID, "path": [{"key": "passed"}], "value": {"bool_match": True}}
    principal = {"sourced_metadata": {"metadata_matcher": said}}
    return {
        "action": "ALLOW",
        "policies": {"passed": {"permissions": [{"any": True}], "principals": [principal]}},
    }


def _script() -> str:
    others = [language for language in LANGUAGES if language != FALLBACK]
    shown = {
        language: {kind: pages.notice_page(kind, "", language) for kind in _KINDS} for language in LANGUAGES
    }
    errors = {kind: pages.api_error(kind, _SERVICE, FALLBACK, retry=retry) for kind, retry in _KINDS.items()}
    parts = {
        "PAGES": shown,
        "LANGUAGES": others,
        "ERRORS": errors,
        "SERVICE": _SERVICE,
        "TELL": TELL,
    }
    head = "".join(f"local {name} = {_as_lua(value)}\n" for name, value in parts.items())
    files = (Path(__file__).with_name(name) for name in ("sha256.lua", "guard.lua"))
    return "\n".join((head, *(file.read_text("utf-8") for file in files)))


def _as_lua(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"[{_as_lua(key)}] = {_as_lua(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ", ".join(map(_as_lua, value)) + "}"
    plain = (chr(byte) if _is_plain(byte) else f"\\{byte:03d}" for byte in str(value).encode())
    return f'"{"".join(plain)}"'


def _is_plain(byte: int) -> bool:
    return 32 <= byte < 127 and byte not in b'"\\'
