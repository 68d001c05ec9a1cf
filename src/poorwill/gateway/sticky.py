"""Visitors who stay with one instance, for services that keep what they know of a visitor in their memory.

The first answer carries a cookie; Envoy alone writes and reads it. It holds the address of the instance as
Envoy reaches it, readable for whoever looks (base64): that tells a visitor how many instances there are, and
lets him choose among those of this service, nothing else. Whose instance is gone gets another, and a new
cookie.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from poorwill.core.target import Target

Json = dict[str, Any]

STATEFUL = "envoy.filters.http.stateful_session"
_TYPE = "type.googleapis.com/envoy.extensions"
_ADDRESS = 0x0A
"""The tag of the first field of Envoy's message: a text, whose length is the next byte."""


def cookie_name(service: str) -> str:
    return f"poorwill-{service}"


def remembering() -> Json:
    """The filter, which does nothing but on routes that say so."""
    return {
        "name": STATEFUL,
        "typed_config": {"@type": f"{_TYPE}.filters.http.stateful_session.v3.StatefulSession"},
    }


def remembered(service: str, path: str) -> Json:
    """For the routes of a sticky service at ``path``."""
    cookie = {
        "name": cookie_name(service),
        "path": path or "/",
        "attributes": [{"name": "SameSite", "value": "Lax"}],  # HttpOnly it is always
    }
    state = {
        "name": "envoy.http.stateful_session.cookie",
        "typed_config": {
            "@type": f"{_TYPE}.http.stateful_session.cookie.v3.CookieBasedSessionState",
            "cookie": cookie,
        },
    }
    per_route = f"{_TYPE}.filters.http.stateful_session.v3.StatefulSessionPerRoute"
    return {STATEFUL: {"@type": per_route, "stateful_session": {"session_state": state}}}


def address(target: Target) -> str:
    """As Envoy writes it: ``127.0.0.1:80`` or ``[::1]:80``."""
    return f"[{target.ip}]:{target.port}" if ":" in target.ip else f"{target.ip}:{target.port}"


def address_in(service: str, cookies: str) -> str:
    """What the cookie of a visitor names; empty when he has none. Anybody can write anything there."""
    # Not with http.cookies: one cookie of others that is not quite right would hide all of them.
    found = re.search(
        rf'(?:^|;)\s*{re.escape(cookie_name(service))}="?([A-Za-z0-9+/_-]*)=*"?\s*(?:;|$)', cookies
    )
    if found is None:
        return ""
    try:
        said = base64.b64decode(found[1] + "==")
    except binascii.Error:
        return ""
    if len(said) > 2 and said[0] == _ADDRESS and said[1] < 128:
        said = said[2 : 2 + said[1]]
    return said.decode("ascii", "replace")
