"""One way from text to search terms, used for documents, questions and single sentences alike.

English words lose their commonest endings. Chinese and Japanese have no spaces, so each run of such
characters becomes its overlapping pairs, plus its last character alone; that way a prefix search for one
character finds it anywhere, and a word of two characters is exactly one term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

# Han (with extensions), kana and Hangul syllables.
_CJK = "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_ONE_CJK = re.compile(f"[{_CJK}]")
_ENDINGS = tuple("ations ation ating ates ated ate ings ing ies ed es ly s e y".split())
_SHORTEST_STEM = 3
_LONGEST_TERM = 64
_MOST_TERMS = 64

_SMALL_WORDS = frozenset(
    "a about an and any are as at be been but by can could did do does for from had has have how i if "
    "in into is it its let long me much many my near no not of on or our please should so tell than "
    "that the their them then there these they this those to us was we were what when where which who "
    "why will with would you your".split()
)
_QUESTION_WORDS = re.compile(
    "为什么|是什么|什么时候|什么|怎么样|怎么|怎样|为何|如何|多少|多久|哪里|哪儿|哪些|哪个|有没有|是否|请问|吗|呢"
)
_FILLERS = re.compile("[的了是在和也都就会]")


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2]:
        word = word[:-1]  # stopped → stopp → stop; applied to "call" as well, so that "called" meets it
    return word[:_LONGEST_TERM]


def _plain(text: str) -> str:
    """Width, case and accents folded: ``Ｃａｆé`` and ``cafe`` are one word."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in folded if not unicodedata.combining(c)))


def terms(text: str) -> Iterator[str]:
    """The terms of a text in its order, with repetitions (bm25 counts them)."""
    for run in _RUN.findall(_plain(text)):
        if _ONE_CJK.match(run):
            yield from (run[i : i + 2] for i in range(len(run)))
        else:
            yield _stem(run)


def asked(question: str) -> list[str]:
    """The distinct terms worth searching for. A question of small words only keeps them all.

    A single Chinese character in the list means "anywhere": search it as a prefix.
    """
    folded = _plain(question)
    without = _QUESTION_WORDS.sub(" ", folded)
    runs = [run for run in _RUN.findall(without) if run not in _SMALL_WORDS] or _RUN.findall(folded)
    found: dict[str, None] = {}
    for run in runs:
        if not _ONE_CJK.match(run):
            found[_stem(run)] = None
        elif len(run) == 1:
            found[run] = None
        else:
            found.update((run[i : i + 2], None) for i in range(len(run) - 1))
    telling = [term for term in found if not _FILLERS.search(term)] or list(found)
    return telling[:_MOST_TERMS]


def is_prefix(term: str) -> bool:
    """True for a lone Chinese character, which stands for every pair that begins with it."""
    return len(term) == 1 and _ONE_CJK.match(term) is not None


def match_expression(wanted: list[str]) -> str:
    """The FTS5 query. Terms consist of letters and digits only and are quoted, so no text is ever syntax."""
    return " OR ".join(f'"{term}"*' if is_prefix(term) else f'"{term}"' for term in wanted)
