"""The samples answer the questions that the page proposes, each with the sentence that says it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from poorwill.demo.answers import answer
from poorwill.demo.index import Index
from poorwill.demo.sample import seed


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder: Path = tmp_path_factory.mktemp("answers")
    seed(folder)
    index = Index(folder)
    yield index
    index.close()


@pytest.mark.parametrize(
    ("question", "document", "said"),
    [
        ("How does a poorwill survive the winter?", "poorwill.md", "lowers its body temperature"),
        ("Who was the first to find a hibernating bird?", "poorwill.md", "hibernat"),
        ("Is a stopped GPU machine still billed?", "gpu-billing.md", "its disk is still billed"),
        ("how long does loading the model take", "gpu-billing.md", "loading a model of 14 GB"),
        ("人为什么要睡觉？", "睡眠.md", "大脑和身体得到修复"),
        ("睡眠不足会怎样？", "睡眠.md", "注意力下降"),
        ("成年人每晚要睡多久", "睡眠.md", "七到九个小时"),
        ("冬眠的动物真的在睡觉吗？", "睡眠.md", "很少真正睡觉"),
        ("体温", "睡眠.md", "体温"),
        ("鹰", "睡眠.md", "弱夜鹰"),
    ],
)
def test_questions_to_the_samples(index: Index, question: str, document: str, said: str) -> None:
    found = answer(index, question)
    assert said in found.text
    assert found.passages[0].document == document
    assert found.text.startswith(found.passages[0].sentence)


def test_every_highlighted_sentence_stands_in_its_passage_and_scores_fall(index: Index) -> None:
    found = answer(index, "sleep temperature machine hour 睡眠")
    assert len(found.passages) > 1
    assert all(each.sentence and each.sentence in each.text for each in found.passages)
    scores = [each.score for each in found.passages]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0


@pytest.mark.parametrize("question", ["xylophone", "锂电池", "?!", "…", "   "])
def test_what_is_not_there_is_not_answered(index: Index, question: str) -> None:
    found = answer(index, question)
    assert (found.text, found.passages) == ("", ())
