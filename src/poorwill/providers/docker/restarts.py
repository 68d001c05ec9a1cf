"""Restart policies of containers, and where they fight with sleep, as seen on dockerd 20.10."""

from __future__ import annotations

from poorwill.providers.docker.state import Seen


def conflict(seen: Seen, mode: str) -> str:
    """What the container's policy does against its sleep, in one line; empty when they get along.

    ``mode`` is how Poorwill puts it to sleep.
    """
    what = ""
    if seen.policy == "always":
        what = "whenever the Docker Engine starts, it starts this container too, asleep or not"
    elif seen.policy == "on-failure" and mode != "pause":
        what = (
            "when the Docker Engine starts, it starts this container too if its last exit code was not 0, "
            "as after being killed"
        )
    elif seen.policy != "no" and mode == "pause":
        what = "when the Docker Engine is restarted, this container comes up running, though it was paused"
    if not what:
        return ""
    better = "no" if mode == "pause" else "unless-stopped"
    return (
        f"restart: {seen.policy} of the container {seen.name} fights with sleep: {what}. Poorwill puts it to "
        f"sleep again. To mend it: docker update --restart {better} {seen.name} (and in your Compose file)"
    )
