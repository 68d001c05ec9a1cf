"""Instances that are containers: one by name or label, or all containers of a Compose project."""

from __future__ import annotations

from poorwill.providers.docker.compose import ComposeProvider
from poorwill.providers.docker.container import DockerProvider

__all__ = ["ComposeProvider", "DockerProvider"]
