"""One Docker Engine: the few questions and orders that the providers need, each a single call."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from poorwill.errors import Permanent, Temporary
from poorwill.providers.base import Shell
from poorwill.providers.docker.complaints import complaints
from poorwill.providers.docker.endpoint import DEFAULT_SOCKET, Endpoint
from poorwill.providers.docker.state import Seen, read
from poorwill.providers.docker.tunnel import Tunnel

if TYPE_CHECKING:
    import aiodocker

ASK_WITHIN = 20.0
"""Seconds after which a question that the engine has not answered is given up."""

_GONE = 404


class Engine:
    """Connects at the first call. With ``shell`` the engine is the one of that machine."""

    def __init__(self, endpoint: Endpoint, shell: Shell | None = None) -> None:
        self.endpoint = endpoint
        self._shell = shell
        self._docker: aiodocker.Docker | None = None
        self._tunnel: Tunnel | None = None
        self._connecting = asyncio.Lock()

    # --- questions ------------------------------------------------------------------------------

    async def look(self, name: str) -> Seen | None:
        """The container of this name or id; None when there is none."""
        told = await self.tell(name)
        return None if told is None else read(told)

    async def tell(self, name: str) -> dict[str, Any] | None:
        """All that the engine knows of it."""
        docker = await self._connected()
        with self._asking():
            async with asyncio.timeout(ASK_WITHIN):
                try:
                    container = await docker.containers.get(name)
                except _docker_error() as error:
                    if error.status == _GONE:
                        return None
                    raise
                return dict(await container.show())

    async def search(self, filters: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
        """Id, name and labels of every container that fits, running or not."""
        docker = await self._connected()
        with self._asking():
            async with asyncio.timeout(ASK_WITHIN):
                found = await docker.containers.list(all=True, filters=json.dumps(dict(filters)))
        return [
            {"Id": one["Id"], "Name": next(iter(one["Names"] or ()), ""), "Labels": one["Labels"] or {}}
            for one in found
        ]

    async def log(self, container: str, lines: int) -> list[str]:
        """The last lines it printed."""
        docker = await self._connected()
        with self._asking():
            async with asyncio.timeout(ASK_WITHIN):
                pieces = await docker.containers.container(container).log(
                    stdout=True, stderr=True, tail=lines
                )
        return "".join(pieces).splitlines()[-lines:]

    async def cpu_seconds(self, container: str) -> float:
        """The processor time it has used since it was started."""
        told = await self._stats(container)
        return float(told["cpu_stats"]["cpu_usage"]["total_usage"]) / 1e9

    async def memory_bytes(self, container: str) -> float:
        """What it uses as ``docker stats`` shows it: without files that are only cached."""
        memory = (await self._stats(container)).get("memory_stats") or {}
        detail = memory.get("stats") or {}
        cached = detail.get("inactive_file", detail.get("total_inactive_file", 0))  # cgroup 2, else 1
        return float(max(0, memory.get("usage", 0) - cached))

    async def _stats(self, container: str) -> dict[str, Any]:
        docker = await self._connected()
        with self._asking():
            async with asyncio.timeout(ASK_WITHIN):
                (told,) = await docker.containers.container(container).stats(stream=False)
        return told

    async def clock(self) -> str:
        """The engine's own time, as the events want it: seconds since the epoch, as text."""
        docker = await self._connected()
        with self._asking():
            async with asyncio.timeout(ASK_WITHIN):
                told = str((await docker.system.info())["SystemTime"])
        # To the microsecond, rounded down: no event is missed, one more does no harm.
        return f"{datetime.fromisoformat(told).timestamp():.6f}"

    async def events(self, since: str, kinds: Sequence[str]) -> AsyncIterator[dict[str, Any]]:
        """What happens to any container, from ``since`` on; ends when the engine goes away."""
        docker = await self._connected()
        subscriber = docker.events.subscribe(create_task=False)  # type: ignore[no-untyped-call]
        filters = json.dumps({"type": ["container"], "event": list(kinds)})
        running = asyncio.get_running_loop().create_task(docker.events.run(since=since, filters=filters))
        try:
            while (event := await subscriber.get()) is not None:
                yield event
            with self._asking():
                await running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    # --- orders ---------------------------------------------------------------------------------

    async def start(self, container: str) -> None:
        await self._order(container, "start")

    async def stop(self, container: str, seconds: int | None) -> None:
        """Returns when it has ended. ``seconds`` until it is killed; None: what the container says."""
        await self._order(container, "stop", t=seconds)

    async def kill(self, container: str) -> None:
        await self._order(container, "kill")

    async def pause(self, container: str) -> None:
        await self._order(container, "pause")

    async def unpause(self, container: str) -> None:
        await self._order(container, "unpause")

    async def create(self, name: str, recipe: Mapping[str, Any]) -> str:
        """A new container; returns its id."""
        docker = await self._connected()
        with self._asking():
            return str((await docker.containers.create(dict(recipe), name=name)).id)

    async def join(self, network: str, container: str, how: Mapping[str, Any]) -> None:
        docker = await self._connected()
        with self._asking():
            found = await docker.networks.get(network)
            await found.connect({"Container": container, "EndpointConfig": dict(how)})

    async def remove(self, container: str) -> None:
        """With its anonymous volumes; fails when it runs."""
        await self._order(container, "delete", v=True)

    async def close(self) -> None:
        if self._docker is not None:
            await self._docker.close()
            self._docker = None
        if self._tunnel is not None:
            await self._tunnel.close()
            self._tunnel = None

    # --- the rest -------------------------------------------------------------------------------

    async def _order(self, container: str, verb: str, **how: Any) -> None:
        docker = await self._connected()
        with self._asking():
            await getattr(docker.containers.container(container), verb)(**how)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        with complaints(self.endpoint.shown):
            try:
                yield
            except TimeoutError:
                raise Temporary(
                    f"the Docker Engine at {self.endpoint.shown} has not answered for {ASK_WITHIN:g} s",
                    hint="its host may be overloaded; see journalctl -u docker there",
                ) from None

    async def _connected(self) -> aiodocker.Docker:
        async with self._connecting:
            url = await self._url()
            if self._docker is None:
                await asyncio.to_thread(_import_library)
                self._docker = self._made(url)
            return self._docker

    async def _url(self) -> str | None:
        """Where the library connects to. A socket that leads to another host is made sure of."""
        url = self.endpoint.url
        if self._shell is not None:
            path = (url or f"unix://{DEFAULT_SOCKET}").removeprefix("unix://")
            return f"unix://{await self._shell.socket(path)}"
        if url is not None and url.startswith("ssh://"):
            self._tunnel = self._tunnel or Tunnel(url)
            async with asyncio.timeout(ASK_WITHIN):
                return f"unix://{await self._tunnel.open()}"
        return url

    def _made(self, url: str | None) -> aiodocker.Docker:
        import aiodocker

        try:
            context = _trust(self.endpoint) if self.endpoint.tls else None
            if url and url.startswith("tcp://") and not self.endpoint.of_context:
                url = url.replace("tcp://", "https://" if context else "http://", 1)
            by_context = self.endpoint.of_context and not (url or "").startswith("unix://")
            return aiodocker.Docker(url=None if by_context else url, ssl_context=context)
        except AssertionError:
            raise Temporary(
                "there is no Docker Engine on this host",
                hint="start it (sudo systemctl start docker), or write engine: for one elsewhere",
            ) from None
        except (ValueError, aiodocker.DockerError) as error:
            raise Permanent(f"the Docker Engine cannot be found: {error}", hint="write engine:") from error


def _import_library() -> None:
    """Off the event loop, and only when a container is to be dealt with: it is large."""
    import aiodocker  # noqa: F401


def _docker_error() -> Any:
    import aiodocker

    return aiodocker.DockerError


def _trust(endpoint: Endpoint) -> ssl.SSLContext:
    assert endpoint.tls is not None
    tls = endpoint.tls
    try:
        context = ssl.create_default_context(cafile=str(tls.ca))
        context.load_cert_chain(str(tls.cert), str(tls.key))
    except (OSError, ssl.SSLError) as error:
        raise Permanent(
            f"the certificates for {endpoint.shown} cannot be read: {error}",
            hint="check the files below tls:",
        ) from error
    return context
