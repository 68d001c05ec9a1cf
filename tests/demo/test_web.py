"""The service over real HTTP: what it answers, what it refuses, and that it says why."""

from __future__ import annotations

import json
import re
import threading
import time

import httpx2
import pytest
from tests.demo.demo_process import DemoProcess, ask, sources

MB = 1024 * 1024


def events(text: str) -> list[tuple[str, dict[str, object]]]:
    return [(name, json.loads(data)) for name, data in re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)]


def test_the_page_speaks_the_browsers_language(shared: httpx2.Client) -> None:
    english = shared.get("/", headers={"accept-language": "fr, en;q=0.8, zh;q=0.5"})
    chinese = shared.get("/", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"})
    assert '<html lang="en">' in english.text
    assert '<html lang="zh">' in chinese.text
    assert "Accept-Language" in english.headers["vary"]
    for page in (english, chinese):
        assert page.headers["content-type"].startswith("text/html")
        assert "http://" not in page.text.replace("http://www.w3.org", "")
        assert "{{" not in page.text


@pytest.mark.parametrize("header", ["", "*", "de", ";;q=,", "zh;q=0, en;q=0.1", "en;q=x"])
def test_any_other_language_gets_english(shared: httpx2.Client, header: str) -> None:
    assert '<html lang="en">' in shared.get("/", headers={"accept-language": header}).text


def test_a_file_is_uploaded_listed_and_found(shared: httpx2.Client) -> None:
    content = "\ufeffThe aardvark digs at night.\r\nIt eats termites.".encode()
    response = shared.post("/api/documents", files={"file": ('C:\\my\\Erd"ferkel 土豚.txt', content)})
    assert response.status_code == 201, response.text
    assert response.json() == {"name": "Erd ferkel 土豚.txt", "bytes": len(content) - 3, "passages": 1}
    assert response.json() in shared.get("/api/documents").json()["documents"]
    answer = ask(shared, "When does an aardvark dig?")
    assert answer["answer"] == "The aardvark digs at night. It eats termites."
    assert sources(answer) == ["Erd ferkel 土豚.txt"]


def test_a_pasted_text_gets_a_name_from_its_first_line(shared: httpx2.Client) -> None:
    stored = shared.post("/api/documents", json={"text": "# Okapi: a/b\nIt is related to giraffes."})
    assert stored.json()["name"] == "Okapi a b.txt"
    form = shared.post("/api/documents", data={"name": "numbat", "text": "x"}, files={"other": ("", b"")})
    assert form.json()["name"] == "numbat.txt"


@pytest.mark.parametrize(
    "name", ["../../etc/okapi.txt", "/tmp/okapi.txt", "..\\okapi.txt", "...okapi.txt", "\x00okapi.txt"]
)
def test_no_name_leads_out_of_the_folder(shared: httpx2.Client, name: str) -> None:
    assert (
        shared.post("/api/documents", json={"name": name, "text": "It hides."}).json()["name"] == "okapi.txt"
    )


@pytest.mark.parametrize("query", ["土豚", "豚"])
def test_short_chinese_questions(shared: httpx2.Client, query: str) -> None:
    shared.post("/api/documents", json={"name": "动物.txt", "text": "大象很重。非洲有土豚。狮子吃肉。"})
    answer = ask(shared, query)
    assert str(answer["answer"]).startswith("非洲有土豚。")
    assert "动物.txt" in sources(answer)


@pytest.mark.parametrize(
    "question",
    [
        'quagga" OR terms:*',
        "quagga AND (",
        "quagga NEAR(a b, 2)",
        "NEAR quagga",
        "quagga*",
        "^quagga -zebra +x",
        '"""quagga',
        "terms : quagga",
        "{terms passage} : quagga",
        "quagga'; DROP TABLE passage; --",
        "quagga \u0000 \\ % _ ?1 :a @b $c",
        "NOT quagga",
    ],
)
def test_what_is_asked_is_never_syntax(shared: httpx2.Client, question: str) -> None:
    shared.post("/api/documents", json={"name": "quagga.txt", "text": "The quagga was a zebra."})
    assert sources(ask(shared, question))[0] == "quagga.txt"


def test_a_text_that_looks_like_markup_comes_back_as_text(shared: httpx2.Client) -> None:
    text = "<script>alert('zorilla')</script> & \"NEAR\" OR *"
    shared.post("/api/documents", json={"name": "markup.md", "text": text})
    response = shared.post("/api/ask", json={"question": "zorilla"})
    assert response.headers["content-type"] == "application/json"
    assert response.json()["passages"][0]["text"] == text


def test_nothing_found_is_said_in_the_askers_language(shared: httpx2.Client) -> None:
    for language, said in (("en", "Nothing in the documents"), ("zh-TW", "文档里没有")):
        response = shared.post(
            "/api/ask", json={"question": "xylophone"}, headers={"accept-language": language}
        )
        assert response.json()["answer"].startswith(said)
        assert response.json()["passages"] == []


def test_a_streamed_answer_comes_in_pieces_over_time(shared: httpx2.Client) -> None:
    arrivals: list[float] = []
    received = ""
    question = {"question": "How does a poorwill survive the winter?"}
    with shared.stream(
        "POST", "/api/ask", json=question, headers={"accept": "text/event-stream"}
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        for text in response.iter_text():
            arrivals.append(time.monotonic())
            received += text
    happened = events(received)
    pieces = [data["text"] for name, data in happened if name == "piece"]
    assert [name for name, _ in happened] == ["piece"] * len(pieces) + ["done"]
    assert happened[-1][1] == ask(shared, question["question"])
    assert "".join(map(str, pieces)) == happened[-1][1]["answer"]
    assert len(pieces) > 10
    assert arrivals[-1] - arrivals[0] > 0.2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "a.txt", "text": ""}, 400, "empty_text"),
        ({"name": "a.txt", "text": " \n\t\ufeff"}, 400, "empty_text"),
        ({"name": "a.txt"}, 400, "empty_text"),
        ({"name": "a.txt", "text": ["x"]}, 400, "empty_text"),
        ({"name": 5, "text": "x"}, 400, "bad_name"),
        ({"name": "长" * 90 + ".txt", "text": "x"}, 400, "bad_name"),
        ({"name": "a.pdf", "text": "x"}, 415, "wrong_type"),
        ({"name": "a.txt", "text": "MZ\x00\x01"}, 400, "not_text"),
        ([1], 400, "not_json"),
    ],
)
def test_texts_that_are_refused(shared: httpx2.Client, body: object, status: int, code: str) -> None:
    before = shared.get("/api/documents").json()
    response = shared.post("/api/documents", json=body)
    assert (response.status_code, response.json()["error"]) == (status, code)
    assert response.json()["message"]
    assert shared.get("/api/documents").json() == before


JSON = "application/json"
FORM = "multipart/form-data; boundary=XX"


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        (JSON, b"{", 400, "not_json"),
        (JSON, b'{"text": "caf\xe9"}', 400, "not_json"),
        (JSON, b'{"text": "half \\ud83d"}', 400, "not_utf8"),
        (JSON, b"[" * 60_000, 400, "not_json"),
        ("text/plain", b"hello", 415, "wrong_type"),
        ("multipart/form-data", b"hello", 400, "broken_form"),
        (FORM, b"", 400, "broken_form"),
        (
            FORM,
            b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf',
            400,
            "broken_form",
        ),
        (FORM, b"--XX\r\n\r\n--XX--", 400, "broken_form"),
        (FORM, b'--XX\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--XX--', 400, "no_file"),
        (
            FORM,
            b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ncaf\xe9\r\n--XX--',
            400,
            "not_utf8",
        ),
    ],
)
def test_bodies_that_are_refused(
    shared: httpx2.Client, kind: str, body: bytes, status: int, code: str
) -> None:
    response = shared.post("/api/documents", content=body, headers={"content-type": kind})
    assert (response.status_code, response.json()["error"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"question": ""}', "empty_question"),
        (b'{"question": " \\n "}', "empty_question"),
        (b'{"question": 5}', "empty_question"),
        (b"{}", "empty_question"),
        (b"", "not_json"),
        (b'{"question": "\\udc00"}', "not_utf8"),
        (b'{"question": "' + b"a" * 2001 + b'"}', "question_too_long"),
    ],
)
def test_questions_that_are_refused(shared: httpx2.Client, body: bytes, code: str) -> None:
    response = shared.post("/api/ask", content=body)
    assert (response.status_code, response.json()["error"]) == (400, code)


def test_twenty_megabytes_are_the_limit(shared: httpx2.Client) -> None:
    before = shared.get("/api/documents").json()
    for size in (20 * MB + 1, 60 * MB):
        response = shared.post("/api/documents", files={"file": ("big.txt", b"a" * size)})
        assert (response.status_code, response.json()["error"]) == (413, "too_big")
    assert shared.post("/api/ask", content=b" " * MB).status_code == 413
    assert shared.get("/api/documents").json() == before


def test_wrong_ways_in(shared: httpx2.Client) -> None:
    assert shared.get("/api/ask").status_code == 405
    assert shared.get("/nothing").status_code == 404
    assert shared.head("/heartbeat").status_code == 200


def test_questions_are_answered_during_a_long_upload(process: DemoProcess) -> None:
    with process.start("--seed") as client:
        words = [f"word{number}" for number in range(20_000)]
        big = "\n\n".join(" ".join(words[i : i + 80]) for i in range(0, len(words), 80)) * 6
        uploads: list[int] = []

        def upload(name: str) -> None:
            with httpx2.Client(base_url=process.url, timeout=60) as own:
                uploads.append(own.post("/api/documents", json={"name": name, "text": big}).status_code)

        threads = [threading.Thread(target=upload, args=(f"big{number}.txt",)) for number in range(4)]
        for thread in threads:
            thread.start()
        waits: list[float] = []
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            assert sources(ask(client, "Is a stopped GPU machine still billed?"))[0] == "gpu-billing.md"
            waits.append(time.monotonic() - began)
        for thread in threads:
            thread.join()
        assert uploads == [201] * 4
        assert len(waits) > 10
        assert max(waits) < 5
        listed = [document["name"] for document in client.get("/api/documents").json()["documents"]]
        assert sorted(listed[3:]) == [f"big{number}.txt" for number in range(4)]
    assert process.stop() == 0


def test_many_ask_at_once(shared: httpx2.Client) -> None:
    answers: list[dict[str, object]] = []

    def several() -> None:
        with httpx2.Client(base_url=shared.base_url, timeout=60) as own:
            answers.extend(ask(own, "How does a poorwill survive the winter?") for _ in range(10))

    threads = [threading.Thread(target=several) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 120
    assert all(answer == answers[0] for answer in answers)
