"""Talking to the running ``poorwill up`` over its unix socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from poorwill.errors import BadInput, NotRunning, PoorwillError
from poorwill.store.folder import control_socket


class Client:
    """Raises NotRunning when nobody answers, BadInput or PoorwillError for what the program refuses."""

    def __init__(self, state: Path, timeout: float = 30.0) -> None:
        self._state = state
        transport = httpx2.HTTPTransport(uds=str(control_socket(state)), verify=False)
        self._http = httpx2.Client(transport=transport, base_url="http://poorwill", timeout=timeout)

    def get(self, path: str, **params: Any) -> Any:
        return self._do("GET", path, params=params)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._do("POST", path, json=body or {})

    def running(self) -> bool:
        try:
            self.get("/healthz")
        except NotRunning:
            return False
        return True

    def lines(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """JSON objects as they come, until the other side ends."""
        try:
            with self._http.stream("GET", path, params=params, timeout=None) as answer:
                for line in answer.iter_lines():
                    if line:
                        yield json.loads(line)
        except httpx2.RemoteProtocolError:
            return  # it went down in the middle of a line
        except httpx2.TransportError as error:
            raise self._nobody() from error

    def _do(self, method: str, path: str, **how: Any) -> Any:
        try:
            answer = self._http.request(method, path, **how)
        except httpx2.TimeoutException as error:
            raise PoorwillError(
                "the running `poorwill up` does not answer in time", hint="its log may say why; try again"
            ) from error
        except httpx2.TransportError as error:
            raise self._nobody() from error
        if answer.status_code >= 400:
            raise _refused(answer)
        return answer.json()

    def _nobody(self) -> NotRunning:
        return NotRunning(
            f"no `poorwill up` runs with the state folder {self._state}",
            hint="start it with `poorwill up`, or name its configuration with --file",
        )


def _refused(answer: httpx2.Response) -> PoorwillError:
    try:
        error = answer.json()["error"]
        message, hint = error["message"], error.get("hint", "")
    except (ValueError, LookupError, TypeError):
        message, hint = f"poorwill answered {answer.status_code}: {answer.text[:200]}", ""
    kind = BadInput if answer.status_code in (400, 404, 422) else PoorwillError
    return kind(message, hint=hint)
