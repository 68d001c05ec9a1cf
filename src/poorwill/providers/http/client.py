"""One HTTP call to a cloud, as its description says: rendered, signed, sent once, read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from poorwill import clock
from poorwill.config.jsonpath import Json
from poorwill.config.template import Words, fill, fill_tree
from poorwill.errors import Permanent, Temporary
from poorwill.providers.http.answers import Answer, Denied, Judge, Unanswered
from poorwill.providers.http.calls import Call, Login
from poorwill.providers.http.description import Description, is_loopback
from poorwill.providers.http.signing import ucloud

if TYPE_CHECKING:
    import httpx2

LARGEST_ANSWER = 8 * 1024 * 1024
SHORTEST_SECRET = 4
LONGEST_RETRY_AFTER = 3600.0
LOGIN_MARGIN = 30.0
"""Seconds before its end at which an exchanged token is no longer used."""

LOGIN_LASTS = 300.0
"""Seconds for which it is used when the cloud does not say."""


class Client:
    """Calls one cloud. Never retries, except that a rejected exchanged token is exchanged once more."""

    def __init__(self, about: Description, words: Words, secrets: tuple[str, ...], url: str = "") -> None:
        self._about = about
        self._words = words
        self._secrets = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._url = (url or about.url).rstrip("/")
        self._http: httpx2.AsyncClient | None = None
        self._login: tuple[str, float] | None = None
        self._one_login = asyncio.Lock()
        self._one_http = asyncio.Lock()
        self.judge = Judge(about, self.scrub)

    async def call(self, call: Call, what: str, **words: str) -> Json:
        """The answer's body when the cloud accepted. ``what`` ends the sentence "the cloud did not …".

        Raises Temporary or Permanent, of the kinds that ``answers`` tells apart.
        """
        known = {**self._words, **words}
        if self._about.login is None:
            return await self._ask(call, what, known)
        try:
            return await self._ask(call, what, {**known, "login": await self._logged_in(known)})
        except Denied:
            # It was refused before anything happened, so that asking again cannot do it twice.
            self._login = None
            return await self._ask(call, what, {**known, "login": await self._logged_in(known)})

    def scrub(self, text: str) -> str:
        """The text without the secrets that this client sends."""
        hidden = self._secrets | ({self._login[0]} if self._login else set())
        for secret in hidden:
            text = text.replace(secret, "***").replace(quote(secret, safe=""), "***")
        return text

    async def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _logged_in(self, words: Words) -> str:
        login = self._about.login
        async with self._one_login:
            if self._login is not None and clock.now().mono < self._login[1]:
                return self._login[0]
            if not isinstance(login, Login):
                return ""
            body = await self._ask(login, "exchange the token", words)
            token, lasts = login.token.of(body, words), login.lasts and login.lasts.of(body, words)
            if not isinstance(token, str) or not token:
                raise Unanswered(
                    f"{self._about.name} exchanged the token and sent none back", hint=self._about.token_help
                )
            seconds = float(lasts) if isinstance(lasts, int | float) else LOGIN_LASTS
            self._login = (token, clock.now().mono + max(1.0, seconds - LOGIN_MARGIN))
            return token

    async def _ask(self, call: Call, what: str, words: Words) -> Json:
        import httpx2

        http = await self._client()
        try:
            request = self._request(http, call, words)
        except ValueError as error:  # an option that is to be a number and is none, a header that cannot be
            raise Permanent(
                f"the call to {self._about.name} cannot be made: {self.scrub(str(error))}",
                hint="check the options and the description",
            ) from None
        answer = None
        try:
            answer = await self._send(http, request)
        except httpx2.TimeoutException:
            seconds = self._about.timeout
            said = f"{self._about.name} has not answered for {seconds:g} s when asked to {what}"
            raise Unanswered(said, hint="Poorwill looks again before it asks again") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            words_of_it = self.scrub(str(error)) or type(error).__name__
            host = urlsplit(self._url).hostname
            hint = f"is {host} reachable from here?"
            raise Unanswered(
                f"{self._about.name} cannot be asked to {what}: {words_of_it}", hint=hint
            ) from None
        return self.judge.accept(answer, call, what, words)

    def _request(self, http: httpx2.AsyncClient, call: Call, words: Words) -> httpx2.Request:
        auth = self._about.auth
        login = isinstance(call, Login)
        headers = _texts({**({} if login else auth.headers), **call.headers}, words)
        query = _texts({**({} if login else auth.query), **call.query}, words)
        url = fill(call.url, words, url=True)
        url = url if "://" in url else self._url + "/" + url.lstrip("/")
        parts: dict[str, Any] = {}
        if call.body is not None:
            parts["json"] = fill_tree(call.body, words)
        elif call.form is not None:
            form = _texts({**({} if login else auth.form), **call.form}, words)
            signed = auth.signature == "ucloud" and not login
            parts["data"] = ucloud(form, words.get("token") or "") if signed else form
        if query:
            parts["params"] = query
        if urlsplit(url).scheme != "https" and not self._may_be_plain(url):
            raise ValueError(f"{url} is not https://")
        return http.build_request(call.method, url, headers=headers, **parts)

    async def _send(self, http: httpx2.AsyncClient, request: httpx2.Request) -> Answer:
        answer = await http.send(request, stream=True)
        try:
            content = bytearray()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise Temporary(
                        f"{self._about.name} sent an answer without end",
                        hint="is url the address of its API?",
                    )
        finally:
            await answer.aclose()
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        text = "" if answer.status_code < 300 else content[:1000].decode("utf-8", "replace")
        return Answer(answer.status_code, body, text, _retry_after(answer.headers.get("retry-after")))

    async def _client(self) -> httpx2.AsyncClient:
        async with self._one_http:
            if self._http is None:
                self._http = await asyncio.to_thread(self._new_client)
            return self._http

    def _new_client(self) -> httpx2.AsyncClient:
        """Reading the certificates of the authorities takes a moment."""
        import httpx2

        # A proxy of the environment is for the world, not for this machine.
        proxied = not is_loopback(urlsplit(self._url).hostname or "")
        return httpx2.AsyncClient(timeout=self._about.timeout, follow_redirects=False, trust_env=proxied)

    def _may_be_plain(self, url: str) -> bool:
        return self._about.plain_http or is_loopback(urlsplit(url).hostname or "")


def _texts(table: Mapping[str, str], words: Words) -> dict[str, str]:
    return {key: str(value) for key, value in fill_tree(dict(table), words).items()}


def _retry_after(text: str | None) -> float | None:
    """Seconds. The other form, a date, is rare and is not read: the description's delay is used then."""
    if text is None or not text.strip().isdigit():
        return None
    return min(float(text), LONGEST_RETRY_AFTER)
