"""What a cloud's answer means: accepted, or which kind of no."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from poorwill.config.jsonpath import Json
from poorwill.config.template import Words
from poorwill.errors import NoCapacity, Permanent, ProviderError, Temporary
from poorwill.providers.http.calls import Call
from poorwill.providers.http.description import Description

LONGEST_TEXT = 200

_LATER = "Poorwill asks again; if it goes on, see the cloud's console"
_UNCLEAR = "it may have worked or not: Poorwill looks again before it asks again"


class Missing(Permanent):
    """The cloud knows no instance of this id."""


class Denied(Permanent):
    """The cloud does not accept the token."""


class Throttled(Temporary):
    """The cloud wants to be left alone for ``delay`` seconds."""


class Unanswered(Temporary):
    """Nothing came back that can be understood: the call may have worked or not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` is None when it was no JSON."""

    status: int
    body: Json
    text: str
    retry_after: float | None = None


class Judge:
    """Reads the answers of one cloud. ``scrub`` takes the secrets out of what it says."""

    def __init__(self, about: Description, scrub: Callable[[str], str]) -> None:
        self._about = about
        self._scrub = scrub

    def accept(self, answer: Answer, call: Call, what: str, words: Words) -> Json:
        """The body of an answer that means success; raises what it means otherwise."""
        ok = call.ok or self._about.ok
        in_range = any(low <= answer.status <= high for low, high in ok.status)
        if in_range and all(test.holds(answer.body, words) for test in ok.when):
            return answer.body
        raise self._refusal(answer, what, words)

    def said(self, answer: Answer, words: Words) -> tuple[str, str]:
        """The cloud's own code and words, safe to show."""
        about = self._about
        code = about.code.of(answer.body, words) if about.code else None
        found = (path.of(answer.body, words) for path in about.error)
        text = next((one for one in found if one), None)
        if text is None:
            text = answer.text
        elif not isinstance(text, str):
            text = json.dumps(text, ensure_ascii=False)
        if text.lstrip().startswith("<"):
            text = ""  # a web page of something on the way says nothing to a person
        line = " ".join(self._scrub(text).split())
        shown = line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"
        return ("" if code is None else str(code)), shown

    def _refusal(self, answer: Answer, what: str, words: Words) -> ProviderError:
        about, status = self._about, answer.status
        code, text = self.said(answer, words)
        named = f"HTTP {status}" + (f", code {code}" if code and code != text else "")
        said = (
            f"{about.name} did not {what}: {text} ({named})"
            if text
            else f"{about.name} did not {what} ({named})"
        )
        if about.no_capacity.fits(status, code, text):
            hint = "Poorwill goes on asking; another type of GPU or another region may be free"
            return NoCapacity(said, hint=hint, delay=answer.retry_after or about.no_capacity.delay)
        if about.later.fits(status, code, text):
            return Throttled(said, hint=_LATER, delay=answer.retry_after or about.later.delay)
        if about.missing.fits(status, code, text):
            return Missing(said, hint="is the instance's id right? It may have been deleted at the cloud")
        if about.denied.fits(status, code, text):
            hint = "the token may be wrong, expired, or without this permission"
            return Denied(said, hint=f"{hint}. {about.token_help}" if about.token_help else hint)
        if 300 <= status < 400:
            return Permanent(
                said, hint="the API has moved: correct url; a redirect is not followed with a token"
            )
        if status in (400, 405, 422):
            return Permanent(said, hint=f"`poorwill clouds try` shows what {about.name} answers")
        if status in (502, 504) or (200 <= status < 300 and answer.body is None):
            return Unanswered(
                said, hint=_UNCLEAR
            )  # something between us and the cloud spoke: it may have worked
        return Temporary(said, hint=_LATER, delay=answer.retry_after)
