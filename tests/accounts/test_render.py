"""A review as a page, as a mail and for programs: what must be in it, and what must not."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from tests.accounts import recorded
from tests.accounts.recorded import MONTH

from poorwill.accounts.record import Item, Record
from poorwill.accounts.render import Format, render
from poorwill.accounts.review import Review, review
from poorwill.core.bill import Line
from poorwill.store.event import Event, Kind

NASTY = "<script>alert(1)</script>|*x*"
VOID = {"meta", "link", "br"}


@pytest.fixture(scope="module")
def october() -> Review:
    return review(recorded.october())


class Page(HTMLParser):
    """Which elements there are, whether they are closed in order, and what is loaded from elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_stands_alone(october: Review, language: str) -> None:
    html = render(october, language, Format.HTML)
    page = Page(html)
    assert page.open == []
    assert page.loads == ["data:,"]
    assert "script" not in page.tags
    assert not re.search(r"https?://|@import|url\(", html)
    assert f'<html lang="{language}">' in html
    assert html.count("<table") == 1 + 2 + 2 + 1  # nobody used the third service
    assert len(html.encode()) < 100_000


def test_a_mail_says_the_same(october: Review) -> None:
    text = render(october, "en", Format.MARKDOWN)
    assert text.startswith("# October 2026 in review\n")
    assert "| storage | 35.00 CNY | 50.00 CNY | no | within the budget (70 %) |" in text
    assert "| gateway | 8.00 CNY | 10.00 CNY | no | nearly used up (80 %) |" in text
    assert re.search(
        r"^\| kb: hours \| 32\d\.\d h \| 240 h \| yes \| over by 8\d\.\d h \|$", text, re.MULTILINE
    )
    assert "saved against always on: **" in text
    assert "- Mon 26 Oct 08:00 to Mon 26 Oct 19:00: 11 h" in text  # nothing was recorded on that day
    assert r"sold out\</b\> \| try `later`" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        cells = [len(re.sub(r"\\\|", "", line).split("|")) for line in table.splitlines()]
        assert len(set(cells)) == 1, table


def test_for_programs(october: Review) -> None:
    told = json.loads(render(october, "en", Format.JSON))
    assert (told["month"], told["timezone"], told["complete"]) == ("2026-10", "Asia/Shanghai", True)
    kb = next(one for one in told["services"] if one["name"] == "kb")
    assert Decimal(kb["amounts"]["CNY"]) == october.services[1].amounts["CNY"]
    assert kb["visits"]["waiting"]["waited"] == kb["cold"] > 100
    assert len(kb["visits"]["heat"]) == 7
    assert {one["kind"] for one in told["suggestions"]} >= {"idle_shorter", "gpu", "unused", "budget_small"}
    assert {"item", "name", "unit", "used", "budget"} <= told["rows"][0].keys()


def test_names_and_reasons_are_text() -> None:
    line = Line(NASTY, "service", 3600, 3600, Decimal(1), "CNY")
    item = Item(NASTY, Decimal(1), "CNY")
    record = Record(MONTH, MONTH.stop, MONTH.start, None, lines=(line,), items=(item,))
    html = render(review(record), "en", Format.HTML)
    assert "<script" not in html
    assert html.count("&lt;script&gt;alert(1)") == 4  # twice in the table, the item, its heading
    text = render(review(record), "en", Format.MARKDOWN)
    assert r"\<script\>alert(1)\</script\>\|\*x\*" in text


@pytest.mark.parametrize(
    "reason", ["```<img src=x>`", "`a`` <img src=x> ``b`", "`<img src=x>", "a `` ` <img src=x> ` `"]
)
def test_backticks_hide_no_html_from_markdown(reason: str) -> None:
    failed = Event(1, MONTH.start, 0.0, "boot", Kind.FAILED, "kb", "kb-1", reason)
    item = Item("`a|b`", Decimal(1), "CNY")
    line = Line("kb", "service", 3600, 3600, Decimal(1), "CNY")
    record = Record(MONTH, MONTH.stop, MONTH.start, None, lines=(line,), items=(item,), events=(failed,))
    html = MarkdownIt().enable("table").render(render(review(record), "en", Format.MARKDOWN))
    assert "&lt;img src=x&gt;" in html
    assert "<img" not in html
    assert "<td>`a|b`</td>" in html


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", [Format.HTML, Format.MARKDOWN])
def test_a_month_without_data_says_so(language: str, form: Format) -> None:
    text = render(review(Record(MONTH, MONTH.stop, MONTH.stop, None)), language, form)
    assert {"en": "There is no data for October 2026", "zh": "2026 年 10 月 没有数据"}[language] in text
    assert "|---" not in text
    assert "<table" not in text


def test_the_running_month_says_that_it_is_not_over() -> None:
    half = replace(recorded.october(now=MONTH.start + 14.25 * 86_400), known_from=MONTH.start + 86_400)
    found = review(half)
    text = render(found, "en", Format.MARKDOWN)
    assert "This month is not over: the figures are those up to Thu 15 Oct 06:00." in text
    assert "Poorwill knows this month from Fri 2 Oct 00:00 on." in text
    assert "than the month before" not in text  # half a month is not compared with a whole one
    assert not any(one.kind.startswith("budget") for one in found.suggestions)


def test_without_visitors_written_down() -> None:
    record = replace(recorded.october(), use_from=None, stretches=())
    text = render(review(record), "en", Format.MARKDOWN)
    assert "When the services were used was not written down" in text
    assert "In use" not in text
    assert "nobody used it" not in text  # nobody knows


def test_what_the_replay_says_is_what_was(october: Review) -> None:
    """The month was lived without the program's rules; played again with them it is the same within 1 %."""
    from poorwill.accounts.review import case
    from poorwill.advisor.openings import past
    from poorwill.advisor.suggest_window import play_hours

    record = recorded.october()
    for figure in october.services[:2]:
        known = case(record, figure)
        played = play_hours(known, past(known.service.timetable, known.zone, known.since, known.until))
        assert played.seconds == pytest.approx(figure.there, rel=0.01)
        assert len(played.waits) == pytest.approx(figure.cold, rel=0.03)
