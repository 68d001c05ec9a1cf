"""A metric that Poorwill does not measure itself: where a number of the user's own comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from poorwill.config.claims import Complaint
from poorwill.config.complaint import all_of, expected, wrong
from poorwill.config.traffic import Headers

ADDRESS = "{address}"
"""Stands in a url for the host and port of each instance."""

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the number comes from, every time it is asked for.

    ``name`` is its key in ``Reading.gauges`` and ``Load.troubles``: the same for all rules that mean the
    same number. ``kind`` ``text``: the samples of ``metric`` that have all the ``labels``, in the Prometheus
    text format at ``url``, which holds ``{address}`` when it is asked of each instance (``per_instance``).
    ``promql``: the answer of the Prometheus server at ``url`` to ``query``. Several samples are put together
    by ``aggregate``, those of several instances too. ``headers`` may hold secrets.
    """

    name: str
    kind: Literal["text", "promql"]
    url: str
    metric: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    query: str = ""
    aggregate: Literal["sum", "max", "avg"] = "sum"
    per_instance: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def _url(value: str) -> str:
    text = value.strip()
    what = "a URL such as http://127.0.0.1:8000/metrics"
    parts = urlsplit(text.replace(ADDRESS, "127.0.0.1:1"))
    try:
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_fits:
        raise expected(what, f"write http:// in front: http://{text}" if "://" not in text else "")
    if parts.username or parts.password:
        raise expected(what, "a password has its place in headers: {Authorization: Bearer ...}")
    if re.search(r"[{}\s]", text.replace(ADDRESS, "")):
        raise expected(what, f"{ADDRESS} stands for the host and port of each instance")
    return text


def _server(value: str) -> str:
    text = _url(value)
    if ADDRESS in text:
        raise expected("the address of a Prometheus server", f"{ADDRESS} is for url, not for prometheus")
    return text.rstrip("/").removesuffix("/api/v1/query").removesuffix("/api/v1")


def _metric(value: str) -> str:
    if not _METRIC.fullmatch(value):
        hint = "labels stand apart: labels: {model_name: llama}" if "{" in value else ""
        raise expected("the name of a metric such as vllm:num_requests_waiting", hint)
    return value


def _label(value: str) -> str:
    if not _LABEL.fullmatch(value):
        raise expected("the name of a label such as model_name")
    return value


def _query(value: str) -> str:
    if not value.strip():
        raise expected("a query such as sum(vllm:num_requests_waiting)")
    return value.strip()


class SourceConfig(BaseModel):
    """A number of your own: a metric at a URL, or the answer of a Prometheus server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None,
        description="Page in the Prometheus text format, such as http://127.0.0.1:8000/metrics. With "
        "{address} in it each instance is asked: http://{address}/metrics.",
    )
    name: Annotated[str, AfterValidator(_metric)] | None = Field(
        default=None, description="With url: the metric on that page, such as vllm:num_requests_waiting."
    )
    labels: dict[Annotated[str, AfterValidator(_label)], str] = Field(
        default_factory=dict, description="With url: only the lines that have all these labels."
    )
    prometheus: Annotated[str, AfterValidator(_server)] | None = Field(
        default=None, description="Address of a Prometheus server, such as http://127.0.0.1:9090."
    )
    query: Annotated[str, AfterValidator(_query)] | None = Field(
        default=None, description="With prometheus: the question in PromQL."
    )
    aggregate: Literal["sum", "max", "avg"] = Field(
        default="sum", description="How several values, also those of several instances, become one."
    )
    headers: Headers = Field(
        default_factory=dict,
        description="Headers sent with the question, such as an Authorization.",
    )

    @property
    def label(self) -> str:
        """How it is called in sentences."""
        return self.name or self.query or ""

    @property
    def source(self) -> Source:
        """What has to be read. Its name differs wherever the number may differ."""
        labels = tuple(sorted(self.labels.items()))
        written = ", ".join(f'{key}="{value}"' for key, value in labels)
        what = f"{self.label}{{{written}}}" if labels else self.label
        url = self.url or self.prometheus or ""
        return Source(
            name=f"{'' if self.aggregate == 'sum' else f'{self.aggregate} of '}{what} at {url}",
            kind="text" if self.url else "promql",
            url=url,
            metric=self.name or "",
            labels=labels,
            query=self.query or "",
            aggregate=self.aggregate,
            per_instance=ADDRESS in url,
            headers=tuple(sorted(self.headers.items())),
        )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        found = list(self._complaints())
        if found:
            raise all_of(found)
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.url is None and self.prometheus is None:
            about = (("url",), ("prometheus",))
            hint = "write url and name, or prometheus and query"
            yield (), wrong("nothing says where the number comes from", hint, about=about), None
        elif self.url is not None and self.prometheus is not None:
            error = wrong("prometheus has no use beside url", "leave one of them out", other=("url",))
            yield ("prometheus",), error, None
        else:
            needed, others = ("name", ("query",)) if self.url else ("query", ("name", "labels"))
            for key in others:
                if getattr(self, key):
                    with_ = "prometheus" if self.url else "url"
                    yield (key,), wrong(f"{key} has no use without {with_}", "leave it out"), None
            if getattr(self, needed) is None:
                hint = "the metric on that page" if self.url else "the question in PromQL"
                yield (needed,), wrong("missing", hint, about=((needed,),)), None
