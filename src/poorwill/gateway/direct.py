"""Routes on which Envoy answers by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def direct(match: Json, status: int, body: str, headers: Mapping[str, str], settings: Json) -> Json:
    """One route; ``settings`` are those of the filters in front of it, by filter."""
    return {
        "match": match,
        "direct_response": {"status": status, "body": {"inline_string": body}},
        "response_headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
        "typed_per_filter_config": settings,
    }
