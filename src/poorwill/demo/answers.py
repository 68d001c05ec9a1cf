"""Turns a question into an answer that stands in the documents: no model, the sentence that fits best."""

from __future__ import annotations

import math
from dataclasses import dataclass

from poorwill.demo.index import Index
from poorwill.demo.passages import sentences
from poorwill.demo.terms import asked, is_prefix, terms

_CANDIDATES = 12  # passages looked at sentence by sentence
_SHOWN = 4
_WORTH_SHOWING = 0.4  # of the best passage's score
_ANSWER_LENGTH = 320  # characters up to which the sentence after the best one is given as well


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and the sentence in it (exactly as it stands there) that fits the question best.

    ``score`` is the passage's bm25 plus the weight of the wanted terms that stand together in the sentence.
    """

    document: str
    heading: str
    text: str
    sentence: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """``text`` is empty when nothing was found; otherwise it comes from the first of the passages."""

    text: str
    passages: tuple[Found, ...]


def answer(index: Index, question: str) -> Answer:
    wanted = asked(question)
    candidates = index.candidates(wanted, _CANDIDATES) if wanted else []
    if not candidates:
        return Answer("", ())
    weights = _weights(index, wanted)
    found = []
    for candidate in candidates:
        sentence, weight = _best_sentence(candidate.text, candidate.heading, weights)
        score = round(candidate.bm25 + weight, 4)
        found.append(Found(candidate.document, candidate.heading, candidate.text, sentence, score))
    found.sort(key=lambda each: -each.score)
    shown = tuple(each for each in found[:_SHOWN] if each.score >= found[0].score * _WORTH_SHOWING)
    return Answer(_with_next(shown[0]), shown)


def _with_next(found: Found) -> str:
    """The best sentence, and the one after it where both are short: it often holds the reason."""
    all_of_them = sentences(found.text)
    after = all_of_them.index(found.sentence) + 1
    if after == len(all_of_them) or len(found.sentence) + len(all_of_them[after]) > _ANSWER_LENGTH:
        return found.sentence
    return f"{found.sentence}{' ' if found.sentence[-1].isascii() else ''}{all_of_them[after]}"


def _weights(index: Index, wanted: list[str]) -> dict[str, float]:
    """How much each wanted term tells, rare ones more.

    log(1 + (N - n + 0.5) / (n + 0.5)) for n of N passages: the idf of BM25 as Lucene has it, never negative.
    """
    total, having = index.frequencies(wanted)
    # The total and the counts come from two looks, and an upload may end between them: never below zero.
    return {
        term: math.log(1 + (max(total - having.get(term, 0), 0) + 0.5) / (having.get(term, 0) + 0.5))
        for term in wanted
    }


def _best_sentence(text: str, heading: str, weights: dict[str, float]) -> tuple[str, float]:
    """The first of the sentences with the greatest weight of distinct wanted terms, and that weight.

    A term of the heading counts half: it tells what the sentence is about without standing in it.
    """
    above = set(terms(heading))
    best, greatest = text, -1.0
    for sentence in sentences(text):
        own = set(terms(sentence))
        weight = 0.0
        for term, worth in weights.items():
            if term in own or (is_prefix(term) and term in sentence):
                weight += worth
            elif term in above:
                weight += worth / 2
        if weight > greatest:
            best, greatest = sentence, weight
    return best, greatest
