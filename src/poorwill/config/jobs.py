"""What a job needs, and what it cannot have: nobody visits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel

from poorwill.config.claims import Complaint
from poorwill.config.complaint import wrong

if TYPE_CHECKING:
    from poorwill.config.service import ServiceConfig

_VISITORS = "for a service that visitors use as well, write until: idle"


def job_complaints(service: ServiceConfig, providers: Mapping[str, type[BaseModel]]) -> list[Complaint]:
    """For a service whose schedule is only ``until: done``."""
    about = (("schedule",), ("run",))
    found: list[Complaint] = []
    for name in ("hosts", "path", "address", "auth", "concurrency", "scale_policy", "sticky"):
        if getattr(service, name):
            error = wrong(f"nobody visits a job (until: done): {name} has no use", _VISITORS, about=about[:1])
            found.append(((name,), error, None))
    if not service.run.gives_exit_code:
        others = {name: model for name, model in providers.items() if name != service.run.provider}
        able = sorted(name for name, model in others.items() if getattr(model, "gives_exit_code", False))
        error = wrong(
            f"{service.run.provider} cannot tell when a job is done (until: done)",
            f"write until: idle, or run it by {', '.join(able)}" if able else "write until: idle",
            about=about,
        )
        found.append((("run",), error, None))
    return found
