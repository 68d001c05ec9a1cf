"""The filter by which Envoy recognises bystanders: it marks a request with their kind, for the routes.

The list is compiled once, here, and not with the routes, which are read anew whenever a service wakes or
sleeps. It stands first in the chain, since the mark decides about the route.
"""

from __future__ import annotations

from typing import Any

from poorwill.gateway.bystanders import LIST, Kind, agents_regex, paths_regex

Json = dict[str, Any]

_GOOGLE = "type.googleapis.com/"
_STATE = "poorwill.bystander"
ASIDE = "aside"
"""The mark of what asks about a thing, not for it: HEAD, OPTIONS that is no CORS preflight, a prefetch."""

_SELF_DECLARED = (
    r"(?i)Mozilla/.*\(compatible;[^)]*(?:bot|crawl|spider)[^)]*\+?https?://.*"
    r"|.*(?:bot|crawler|spider).*\(\+https?://.*"
)
"""Crawlers that say so in the customary form, with the address of their page."""

_NAMED_SO = r"(?i).*(?:bot|crawler|spider|scraper)s?(?:[^a-z].*)?"
"""Robots by the end of their name. Only those that look around, without a key: people's bots work."""

_PHONES = "(?i).*cubot.*"

_BROWSER = r"Mozilla/[45]\.0(?: .*(?:Chrome|Firefox|Safari|MSIE|Trident|Edge|Edg|OPR)/?.*)?"
_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_SOMEBODYS = (
    "accept-language",
    "authorization",
    "cookie",
    "origin",
    "referer",
    "sec-fetch-mode",
    "upgrade",
    "x-api-key",
)
"""Every browser sends the first. Who has one of the others was here before, or has a key."""


def marking() -> Json:
    """The filter. The first mark that fits is given."""
    rows = [
        (Kind.HEALTH_CHECK, _all(_looks(), _agent(agents_regex(LIST[Kind.HEALTH_CHECK])))),
        (Kind.MONITOR, _all(_looks(), _agent(agents_regex(LIST[Kind.MONITOR])))),
        (Kind.NUISANCE, _has(":path", paths_regex(LIST[Kind.NUISANCE]))),
        (Kind.CRAWLER, _agent(agents_regex(LIST[Kind.CRAWLER]))),
        (Kind.SCANNER, _agent(agents_regex(LIST[Kind.SCANNER]))),
        (Kind.PREVIEW, _all(_looks(), _agent(agents_regex(LIST[Kind.PREVIEW])))),
        (Kind.CRAWLER, _agent(_SELF_DECLARED)),
        (Kind.CRAWLER, _robot()),
        (Kind.SCANNER, _all(_has(":method", "GET|HEAD"), _any(_disguised(), _nameless()))),
        (ASIDE, _any(_about(), *(_has(name, "(?i).*(?:prefetch|preview).*") for name in _PURPOSES))),
    ]
    return {
        "name": "bystanders",
        "typed_config": {
            "@type": f"{_GOOGLE}envoy.extensions.common.matching.v3.ExtensionWithMatcher",
            "extension_config": {
                "name": "composite",
                "typed_config": {"@type": f"{_GOOGLE}envoy.extensions.filters.http.composite.v3.Composite"},
            },
            "xds_matcher": {
                "matcher_list": {
                    "matchers": [
                        {"predicate": predicate, "on_match": {"action": _mark(str(kind))}}
                        for kind, predicate in rows
                    ]
                }
            },
        },
    }


def marked(kind: str) -> list[Json]:
    """What a route asks for when it is for requests with this mark."""
    return [{"key": _STATE, "string_match": {"exact": kind}}]


def _mark(kind: str) -> Json:
    value = {
        "object_key": _STATE,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": kind}},
    }
    setting = {
        "@type": f"{_GOOGLE}envoy.extensions.filters.http.set_filter_state.v3.Config",
        "clear_route_cache": True,
        "on_request_headers": [value],
    }
    return {
        "name": "mark",
        "typed_config": {
            "@type": f"{_GOOGLE}envoy.extensions.filters.http.composite.v3.ExecuteFilterAction",
            "typed_config": {"name": "mark", "typed_config": setting},
        },
    }


# --- what a request has -------------------------------------------------------------------------


def _disguised() -> Json:
    """Says that it is a browser, and is none: it knows no language, and was never here before."""
    return _all(_agent(_BROWSER), *(_lacks(name) for name in _SOMEBODYS))


def _robot() -> Json:
    keys = (_lacks(name) for name in ("authorization", "cookie", "x-api-key"))
    return _all(_looks(), _agent(_NAMED_SO), {"not_matcher": _agent(_PHONES)}, *keys)


def _nameless() -> Json:
    """Says neither what it is nor what it wants, and begins at the beginning: a port scanner."""
    silent = ("user-agent", "accept", "authorization", "cookie", "origin", "upgrade", "x-api-key")
    return _all(_has(":path", "/"), *(_lacks(name) for name in silent))


def _about() -> Json:
    options = _all(_has(":method", "OPTIONS"), _lacks("access-control-request-method"))
    return _any(_has(":method", "HEAD"), options)


def _looks() -> Json:
    """Only looks: what monitoring sends to a service with POST is work."""
    return _has(":method", "GET|HEAD|OPTIONS")


def _agent(regex: str) -> Json:
    return _has("user-agent", regex)


def _lacks(header: str) -> Json:
    return {"not_matcher": _has(header, ".+")}


def _has(header: str, regex: str) -> Json:
    of_a_request = {
        "@type": f"{_GOOGLE}envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
        "header_name": header,
    }
    return {
        "single_predicate": {
            "input": {"name": "header", "typed_config": of_a_request},
            "value_match": {"safe_regex": {"google_re2": {}, "regex": regex}},
        }
    }


def _all(*predicates: Json) -> Json:
    return {"and_matcher": {"predicate": list(predicates)}}


def _any(*predicates: Json) -> Json:
    return {"or_matcher": {"predicate": list(predicates)}}
