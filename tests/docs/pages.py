"""The pages of the documentation and what is in them: links, headings, blocks of code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])

_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of code in a page. ``line`` is where its text begins, from 1."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(language: str) -> list[Block]:
    """Every block of this language in all pages."""
    found = []
    for page in OURS:
        whole = text(page)
        for match in _FENCE.finditer(whole):
            if match[1] == language:
                line = whole.count("\n", 0, match.start(2)) + 1
                found.append(Block(page, line, language, match[2]))
    return found


def links(page: Path) -> list[str]:
    """Targets of the links and pictures outside of code."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text(page))))


def anchors(page: Path) -> set[str]:
    """What a link may name behind ``#``, as GitHub makes it from the headings."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text(page)), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in plain}


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each ``poorwill`` command in a console block, without the program's own name."""
    for line in block.text.splitlines():
        if not line.startswith("$ "):
            continue
        # A pipe ends the command; what stands before it (sudo -u somebody) is not ours.
        words = shlex.split(re.split(r" [|>] ", line[2:])[0])
        at = [
            index for index, word in enumerate(words) if word.endswith("bin/poorwill") or word == "poorwill"
        ]
        if at and (at[-1] == 0 or words[0] == "sudo") and words[at[-1] + 1 :]:
            yield words[at[-1] + 1 :]
