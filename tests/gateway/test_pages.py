"""What visitors and programs are told, in every state and language."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from poorwill.core.history import Estimate
from poorwill.core.model import Phase
from poorwill.errors import GatewayError
from poorwill.gateway import pages
from poorwill.gateway.words import LANGUAGES, words

USUAL = Estimate(median=23.2, p90=40.7, count=12)
NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{service}{0}{{x}}"
numbers = st.floats(allow_nan=True, allow_infinity=True)
estimates = st.none() | st.builds(Estimate, median=numbers, p90=numbers, count=st.integers(1, 50))


class Reader(HTMLParser):
    """Elements, texts by id and everything the page would load."""

    VOID = frozenset({"meta", "link", "progress"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self._open.append((tag, found.get("id") or tag))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            self.texts[name] = self.texts.get(name, "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.tags if name == tag]


def waiting(
    service: str = "notes",
    language: str = "en",
    *,
    elapsed: float = 12,
    estimate: Estimate | None = USUAL,
    trouble: bool = False,
    retry: int = 7,
) -> str:
    return pages.waiting_page(
        service,
        language,
        elapsed=elapsed,
        estimate=estimate,
        trouble=trouble,
        retry=retry,
        events="/.poorwill/events",
    )


def every_page(service: str, language: str) -> list[str]:
    return [
        waiting(service, language),
        waiting(service, language, estimate=None),
        waiting(service, language, trouble=True),
        pages.sleeping_page(service, language, by_hand=False),
        pages.sleeping_page(service, language, by_hand=True),
        *(pages.notice_page(kind, service, language) for kind in pages.NOTICES),
    ]


class TestWaitingPage:
    def test_says_what_is_known(self) -> None:
        texts = Reader(waiting(elapsed=12)).texts
        assert texts["h1"] == texts["title"] == "notes is waking up"
        assert texts["elapsed"] == "Started 12 s ago"
        assert texts["left"] == "about 12 s to go"
        assert "Usually about 23 s, at most 41 s in 9 of 10 starts." in texts["wait"]

    def test_says_it_in_chinese(self) -> None:
        texts = Reader(waiting("知识库", "zh", elapsed=12)).texts
        assert texts["h1"] == "正在唤醒知识库"
        assert Reader(waiting("notes", "zh")).texts["h1"] == "正在唤醒 notes"
        assert texts["elapsed"] == "已用时 12 秒"
        assert "通常需要 23 秒左右，九成情况下不超过 41 秒。" in texts["wait"]

    @pytest.mark.parametrize(
        ("estimate", "sentence"),
        [
            (None, "First start: nobody knows yet how long it takes."),
            (Estimate(23.2, 23.2, 1), "The only start measured so far took 23 s."),
            (Estimate(23.2, 40.7, 4), "Usually about 23 s, at most 41 s in the last 4 starts."),
            (Estimate(23.2, 40.7, 9), "Usually about 23 s, at most 41 s in the last 9 starts."),
            (Estimate(22.9, 23.0, 30), "Usually about 23 s."),
            (Estimate(200.0, 4000.0, 30), "Usually about 3 min 20 s, at most 1 h 7 min in 9 of 10 starts."),
        ],
    )
    def test_never_claims_more_than_was_measured(self, estimate: Estimate | None, sentence: str) -> None:
        assert sentence in Reader(waiting(estimate=estimate)).texts["wait"]

    @pytest.mark.parametrize(
        ("elapsed", "left", "state"),
        [(0, "about 24 s to go", "lead"), (30, "any moment now", "lead"), (41, "later than usual", "late")],
    )
    def test_is_honest_about_being_late(self, elapsed: float, left: str, state: str) -> None:
        reader = Reader(waiting(elapsed=elapsed))
        assert reader.texts["left"] == left
        assert reader.texts["status"] == words("en")[f"waking.{state}"]

    def test_a_failed_start_is_told_without_a_promise(self) -> None:
        reader = Reader(waiting(trouble=True))
        assert reader.texts["status"].startswith("The start had trouble. Trying again")
        assert "left" not in reader.texts
        assert "value" not in reader.all("progress")[0]

    def test_the_bar_grows_and_is_never_full(self) -> None:
        shares = [
            float(str(Reader(waiting(elapsed=t)).all("progress")[0]["value"])) for t in range(0, 4000, 5)
        ]
        assert shares[0] == 0
        assert shares == sorted(shares)
        assert shares[-1] < 1

    def test_without_history_the_bar_promises_nothing(self) -> None:
        assert "value" not in Reader(waiting(estimate=None)).all("progress")[0]

    @pytest.mark.parametrize(("retry", "refresh"), [(-3, 1), (7, 7), (300, 10)])
    def test_refreshes_without_javascript(self, retry: int, refresh: int) -> None:
        head = waiting(retry=retry).partition("</head>")[0]
        assert f'<noscript><meta http-equiv="refresh" content="{refresh}"></noscript>' in head

    def test_is_announced_to_screen_readers(self) -> None:
        reader = Reader(waiting())
        status = next(found for tag, found in reader.tags if found.get("id") == "status")
        assert (status["role"], status["aria-live"]) == ("status", "polite")
        assert reader.all("progress")[0]["aria-label"]

    def test_listens_where_it_is_told(self) -> None:
        html = pages.waiting_page(
            "a", "en", elapsed=0, estimate=None, trouble=False, retry=5, events="/.poorwill/events?service=a"
        )
        assert json.loads(Reader(html).texts["data"])["events"] == "/.poorwill/events?service=a"
        assert json.loads(Reader(waiting()).texts["data"])["events"] == "/.poorwill/events"

    @given(elapsed=numbers, estimate=estimates, trouble=st.booleans(), retry=st.integers())
    def test_any_numbers_make_a_page(
        self, elapsed: float, estimate: Estimate | None, trouble: bool, retry: int
    ) -> None:
        data = Reader(waiting(elapsed=elapsed, estimate=estimate, trouble=trouble, retry=retry)).texts["data"]
        assert "NaN" not in data
        assert "Infinity" not in data
        assert json.loads(data)["elapsed"] >= 0


@pytest.mark.parametrize("language", sorted(LANGUAGES))
class TestEveryPage:
    def test_is_self_contained_and_small(self, language: str) -> None:
        for html in every_page("notes" * 60, language):
            reader = Reader(html)
            assert len(html.encode()) < 15_000
            assert reader.all("html")[0]["lang"] == language
            assert [found["href"] for found in reader.all("link")] == ["data:,"]
            assert {"name": "robots", "content": "noindex"} in reader.all("meta")
            assert not any("src" in found for _, found in reader.tags)
            assert "http://" not in html
            assert "https://" not in html
            assert not re.search(r"url\(|@import", html)

    def test_a_name_cannot_become_markup(self, language: str) -> None:
        plain = [[tag for tag, _ in Reader(html).tags] for html in every_page("notes", language)]
        nasty = every_page(NASTY, language)
        assert [[tag for tag, _ in Reader(html).tags] for html in nasty] == plain
        for html in nasty:
            assert not any(name.startswith("on") for _, found in Reader(html).tags for name in found)
        assert NASTY in Reader(nasty[0]).texts["h1"]

    def test_the_browser_is_told_to_run_nothing_else(self, language: str) -> None:
        for html in every_page("notes", language):
            policy = str(Reader(html).all("meta")[1]["content"])
            assert policy.startswith("default-src 'none'")
            assert "unsafe" not in policy

    def test_errors_are_in_the_language(self, language: str) -> None:
        for kind in pages._ERRORS:
            error = json.loads(pages.api_error(kind, "notes", language, retry=12))["error"]
            assert "notes" in error["message"]
            assert "{" not in error["message"]


@given(st.text(max_size=500))
@example("\udc80\udcff")
@example("a\u202egpj.exe\x00\n")
@example("x" * 60_000)
def test_any_host_can_be_asked_for(host: str) -> None:
    html = pages.notice_page("not_found", host, "en")
    assert len(html.encode("utf-8")) < 15_000
    assert "\u202e" not in html
    pages.api_error("not_found", host, "zh").encode("utf-8")


def test_put_to_sleep_by_hand_says_so() -> None:
    assert "by hand, so a visit does not wake it" in pages.sleeping_page("notes", "en", by_hand=True)
    assert "访问页面不会将其唤醒" in pages.notice_page("by_hand", "notes", "zh")
    offers = Reader(pages.sleeping_page("notes", "en", by_hand=False))
    assert "Wake it up" in offers.texts["a"]


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(GatewayError, match="no page"):
        pages.notice_page("lost", "notes", "en")
    with pytest.raises(GatewayError, match="no error"):
        pages.api_error("lost", "notes", "en")


class TestApiError:
    def test_shape(self) -> None:
        assert json.loads(pages.api_error("waking", "notes", "en", retry=12)) == {
            "error": {
                "message": "The service notes is waking up; try again in 12 s.",
                "type": "service_unavailable",
                "code": "service_waking",
                "service": "notes",
                "retry_after": 12,
            }
        }

    def test_a_request_without_a_host(self) -> None:
        error = json.loads(pages.api_error("not_found", "", "en"))["error"]
        assert error["message"] == "There is no service at this address."
        assert Reader(pages.notice_page("not_found", "\x00", "zh")).texts["status"].startswith("该地址上")

    def test_own_message_and_no_retry(self) -> None:
        error = json.loads(pages.api_error("removed", "笔记", "zh", message="走了"))["error"]
        assert (error["message"], error["retry_after"]) == ("走了", None)

    def test_the_code_does_not_change_with_the_language(self) -> None:
        both = [json.loads(pages.api_error("asleep", "n", language))["error"] for language in ("en", "zh")]
        assert both[0]["code"] == both[1]["code"]
        assert both[0]["message"] != both[1]["message"]


@pytest.mark.parametrize("phase", list(Phase))
def test_progress_event(phase: Phase) -> None:
    event = pages.progress_event(phase, elapsed=12.34, estimate=USUAL, trouble=True)
    assert json.loads(json.dumps(event)) == {
        "phase": phase.value,
        "elapsed": 12.3,
        "median": 23.2,
        "p90": 40.7,
        "count": 12,
        "trouble": True,
        "ready": False,
    }


@given(numbers, estimates)
def test_progress_events_are_always_json(elapsed: float, estimate: Estimate | None) -> None:
    event = pages.progress_event("waking", elapsed=elapsed, estimate=estimate, ready=True)
    json.dumps(event, allow_nan=False)
    assert isinstance(event["elapsed"], float)
    assert event["elapsed"] >= 0
