"""The pages and errors of a service whose door does not open by coming alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.opening import NOW, OFFICE, hours
from tests.gateway.test_pages import NASTY, Reader

from poorwill.core.history import Estimate
from poorwill.core.hours import OpeningHours
from poorwill.core.period import Per
from poorwill.gateway import entrance
from poorwill.gateway.words import LANGUAGES

TWICE = hours(
    *(
        span
        for day in (1, 2, 5, 6)
        for span in ((f"{day} 09:00", f"{day} 12:00"), (f"{day} 14:00", f"{day} 18:00"))
    )
)

SPENT = replace(hours(("6 00:00", None)), spent=Per.MONTH)


def asleep(
    service: str = "notes", language: str = "en", back: str = "/chat?x=1", hours: OpeningHours | None = OFFICE
) -> str:
    return entrance.asleep_page(
        service,
        language,
        wake="/.poorwill/notes/wake",
        token="5f.abc",
        back=back,
        estimate=Estimate(23.2, 40.7, 12),
        hours=hours,
        wall=NOW,
    )


def closed(service: str = "notes", language: str = "en", hours: OpeningHours | None = OFFICE) -> str:
    return entrance.closed_page(service, language, hours=hours, wall=NOW)


def every_page(service: str, language: str) -> list[str]:
    return [
        make(service, language, hours=plan)  # type: ignore[operator]
        for make in (asleep, closed)
        for plan in (None, hours(), OFFICE, TWICE)
    ] + [closed(service, language, hours=SPENT)]


def test_the_closed_page_tells_the_hours() -> None:
    texts = Reader(closed()).texts
    assert texts["h1"] == "notes is closed"
    assert texts["status"] == "It opens tomorrow at 09:00."
    assert "09:00–18:00" in texts["hours"]
    assert texts["zone"] == "Times are those of Asia/Shanghai."
    assert Reader(closed("知识库", "zh")).texts["h1"] == "知识库暂未开放"
    assert json.loads(texts["data"])["left"] == 13 * 3600


def test_when_the_budget_is_used_up_the_page_says_so_and_when_it_opens_again() -> None:
    texts = Reader(closed(hours=SPENT)).texts
    assert texts["h1"] == "notes is closed"
    assert texts["why"] == "It was used as much as its budget for this month allows."
    assert texts["status"] == "It opens on Tue 1 Dec at 00:00."
    assert "hours" not in texts, "there are none to tell"
    assert '<noscript><p class="small">Times are those of Asia/Shanghai.</p></noscript>' in closed(
        hours=SPENT
    )
    assert json.loads(texts["data"])["left"] == 5 * 86400 + 4 * 3600
    chinese = Reader(closed("知识库", "zh", hours=SPENT)).texts
    assert (chinese["why"], chinese["status"]) == ("本月的使用额度已用完。", "12月1日 周二 00:00 开放。")
    for per in Per:
        assert Reader(closed(hours=replace(SPENT, spent=per))).texts["why"]
    assert "why" not in Reader(closed()).texts


def test_a_day_without_hours_is_told_in_words() -> None:
    for language in LANGUAGES:
        assert not any(">None<" in page for page in every_page("notes", language))


def test_the_closed_page_without_hours_promises_nothing() -> None:
    reader = Reader(closed(hours=None))
    assert reader.texts["status"] == "Nobody has planned yet when it opens again."
    assert "hours" not in reader.texts
    assert json.loads(reader.texts["data"])["left"] is None
    assert 'http-equiv="refresh"' not in closed(hours=None)


def test_without_javascript_it_asks_again_at_the_opening() -> None:
    assert f'<noscript><meta http-equiv="refresh" content="{13 * 3600 + 1}"></noscript>' in closed()


def test_the_button_posts_and_comes_back() -> None:
    reader = Reader(asleep())
    (form,) = reader.all("form")
    assert (form["method"], form["action"]) == ("post", "/.poorwill/notes/wake")
    assert reader.all("input") == [
        {"type": "hidden", "name": "token", "value": "5f.abc"},
        {"type": "hidden", "name": "back", "value": "/chat?x=1"},
    ]
    assert reader.texts["opening"] == "It opens tomorrow at 09:00."
    assert "Usually about 23 s" in asleep()
    assert "hours" not in Reader(asleep(hours=None)).texts


@pytest.mark.parametrize("language", sorted(LANGUAGES))
class TestEveryPage:
    def test_is_self_contained_and_small(self, language: str) -> None:
        for html in every_page("notes" * 60, language):
            reader = Reader(html)
            assert len(html.encode()) < 15_000
            assert reader.all("html")[0]["lang"] == language
            assert not any("src" in found for _, found in reader.tags)
            assert not re.search(r"https?://|url\(|@import|\{\w*\}", re.sub(r"(?s)<script.*", "", html))

    def test_a_name_cannot_become_markup(self, language: str) -> None:
        plain = [[tag for tag, _ in Reader(html).tags] for html in every_page("notes", language)]
        nasty = every_page(NASTY, language)
        assert [[tag for tag, _ in Reader(html).tags] for html in nasty] == plain

    def test_only_a_page_with_a_form_may_send_one(self, language: str) -> None:
        for html in every_page("notes", language):
            policy = str(Reader(html).all("meta")[1]["content"])
            assert policy.startswith("default-src 'none'")
            assert "unsafe" not in policy
            assert ("form-action 'self'" in policy) == ("<form" in html)
            assert ("form-action 'none'" in policy) == ("<form" not in html)


@pytest.mark.parametrize("path", ["/", "/chat?x=1&y=%E4#z", "/a//b", "/.hidden"])
def test_where_one_came_from(path: str) -> None:
    assert entrance.local(path) == path


@pytest.mark.parametrize(
    "path", ["", "//evil.test", "/\\evil.test", "https://evil.test", "/a\r\nset-cookie: x", "/é", "/" * 5000]
)
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert entrance.local(path) == "/"


@given(st.text())
def test_a_path_back_never_leaves_the_host(path: str) -> None:
    found = entrance.local(path)
    assert found.startswith("/")
    assert found[1:2] not in ("/", "\\")
    assert entrance.local(f'/"><script>{path}')
    assert len(Reader(asleep(back=f'/"><script>{path}')).all("script")) == 2


def test_programs_are_told_when_to_come_again() -> None:
    error = json.loads(entrance.closed_error("notes", "en", hours=OFFICE, wall=NOW))["error"]
    assert error["message"] == "The service notes is closed; it opens at 2026-11-26T09:00:00+08:00."
    assert (error["code"], error["type"]) == ("service_closed", "service_unavailable")
    assert (error["retry_after"], error["time_zone"]) == (13 * 3600, "Asia/Shanghai")
    assert len(error["opening_hours"]) == 4
    unknown = json.loads(entrance.closed_error("notes", "zh", hours=None, wall=NOW))["error"]
    assert unknown["message"] == "服务 notes 暂未开放，下次开放时间尚未确定。"
    assert (unknown["retry_after"], unknown["next_opening"]) == (86_400, None)


def test_programs_are_told_that_the_budget_is_used_up() -> None:
    error = json.loads(entrance.closed_error("notes", "en", hours=SPENT, wall=NOW))["error"]
    assert (error["code"], error["next_opening"]) == ("budget_used_up", "2026-12-01T00:00:00+08:00")
    assert error["retry_after"] == 5 * 86400 + 4 * 3600
    assert error["opening_hours"] == []
    assert error["message"].endswith("its budget is used up; it opens at 2026-12-01T00:00:00+08:00.")
    unplanned = replace(SPENT, openings=())
    error = json.loads(entrance.closed_error("notes", "zh", hours=unplanned, wall=NOW))["error"]
    assert (error["code"], error["next_opening"]) == ("budget_used_up", None)
    assert error["message"] == "服务 notes 的使用额度已用完，暂停开放，下次开放时间尚未确定。"


def test_programs_are_told_that_a_person_opens_it() -> None:
    error = json.loads(entrance.asleep_error("notes", "en", retry=300, hours=None, wall=NOW))["error"]
    assert error["code"] == "service_asleep_page"
    assert error["retry_after"] == 300
    assert "opened by a person" in error["message"]
