"""Cuts a text into passages short enough to be read as an answer, never across a heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

AIM = 600  # characters of a passage; a longer sentence is cut hard

_ITEM = re.compile(r"[-*+|>]\s|\|\S|\d{1,3}[.)、]\s?")
_SENTENCE_END = re.compile(
    r"""(?<=[.!?])["'”’)\]]*\s+(?=[^a-z\s])"""  # a small letter next: an abbreviation
    r"""|(?<=[。！？；…])[”’」』）]*(?![。！？；…”’」』）])"""
    r"""|\n+"""
)


@dataclass(frozen=True, slots=True)
class Passage:
    """``heading`` is the last Markdown heading above the text, or empty."""

    heading: str
    text: str


def sentences(text: str) -> list[str]:
    """The sentences of a passage, each exactly as it stands in the text (so that it can be found there)."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        # Closing quotes belong to the sentence that they close; only the white space is dropped.
        found.append(text[start : end.end()].strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def _title(line: str) -> str:
    """The text of a Markdown heading, or empty. No pattern here: it would be slow on hostile lines."""
    bare = line.lstrip("#")
    if not 1 <= len(line) - len(bare) <= 6 or not bare[:1].isspace():
        return ""
    return bare.strip().rstrip("#").rstrip()


def _joined(lines: list[str]) -> str:
    """A hard-wrapped paragraph on one line; list items and table rows keep a line of their own."""
    text = lines[0]
    for line in lines[1:]:
        if _ITEM.match(line):
            text += "\n" + line
        else:
            text += (" " if text[-1].isascii() or line[0].isascii() else "") + line
    return text


def _paragraphs(text: str) -> Iterator[Passage]:
    heading = ""
    bare = False  # the heading has no text below it yet; if none comes it is a passage itself
    lines: list[str] = []
    for line in [*map(str.strip, text.splitlines()), ""]:
        title = _title(line)
        if (title or not line) and lines:
            yield Passage(heading, _joined(lines))
            lines, bare = [], False
        if title:
            if bare:
                yield Passage("", heading)
            heading, bare = title, True
        elif line:
            lines.append(line)
    if bare:
        yield Passage("", heading)


def _pieces(paragraph: str) -> Iterator[str]:
    if len(paragraph) <= AIM:
        yield paragraph
        return
    held = ""
    for sentence in sentences(paragraph):
        if held and len(held) + len(sentence) >= AIM:
            yield held
            held = ""
        if len(sentence) > AIM:
            yield from (sentence[i : i + AIM] for i in range(0, len(sentence), AIM))
        else:
            held = f"{held} {sentence}" if held and held[-1].isascii() else held + sentence
    if held:
        yield held


def split(text: str) -> Iterator[Passage]:
    """Passages in the order of the text. Short paragraphs below one heading are joined up to ``AIM``."""
    held: Passage | None = None
    for paragraph in _paragraphs(text):
        for piece in _pieces(paragraph.text):
            if held and held.heading == paragraph.heading and len(held.text) + len(piece) < AIM:
                held = Passage(held.heading, f"{held.text}\n{piece}")
                continue
            if held:
                yield held
            held = Passage(paragraph.heading, piece)
    if held:
        yield held
