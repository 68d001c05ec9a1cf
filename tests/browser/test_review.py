"""The review of a recorded month in a real Chromium: in light and dark, wide, narrow and printed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from tests.accounts import recorded

from poorwill.accounts.render import Format, render
from poorwill.accounts.review import Review, review

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTRAST = """() => {
  const part = value => value <= .03928 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const light = color => {
    const [red, green, blue] = color.map(value => part(value / 255));
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const page = numbers(getComputedStyle(document.documentElement).backgroundColor);
  return Math.min(...[...document.querySelectorAll('.heat td')].map(cell => {
    const style = getComputedStyle(cell), back = numbers(style.backgroundColor), alpha = back[3] ?? 1;
    const mixed = back.slice(0, 3).map((value, index) => value * alpha + page[index] * (1 - alpha));
    const one = light(numbers(style.color).slice(0, 3)), other = light(mixed);
    return (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
  }));
}"""
"""The weakest contrast between a number of a heat map and its cell, as WCAG 2 has it."""


CUT = """() => Math.max(...[...document.querySelectorAll('.tiles div')].map(
  tile => tile.scrollWidth - tile.clientWidth
))"""
"""By how much what is in a tile is wider than the tile."""


@pytest.fixture(scope="module")
def october() -> Review:
    return review(recorded.october())


@pytest_asyncio.fixture(params=["en", "zh"], loop_scope="session")
async def shown(
    request: pytest.FixtureRequest, browser: Browser, october: Review, tmp_path: Path
) -> AsyncIterator[tuple[Page, list[str], str]]:
    file = tmp_path / "review.html"
    file.write_text(render(october, request.param, Format.HTML), encoding="utf-8")
    page = await browser.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("requestfailed", lambda asked: wrong.append(f"failed: {asked.url}"))
    await page.goto(file.as_uri())
    yield page, wrong, request.param
    await page.close()


async def overflow(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))


async def test_it_renders(shown: tuple[Page, list[str], str], october: Review) -> None:
    page, wrong, language = shown
    title = {"en": "October 2026 in review", "zh": "2026 年 10 月回顾"}[language]
    assert await page.title() == title
    assert await page.locator("h1").inner_text() == title
    assert await page.locator(".items tbody tr").count() == len(october.rows)
    for number, figures in enumerate(october.services):
        assert figures.visits is not None
        for which, share in (("used", "use"), ("empty", "waste")):
            table = page.locator("section.service").nth(number).locator(f"table.{which}")
            if figures.name == "old-wiki" and which == "used":  # nothing to see
                assert await table.count() == 0
                continue
            texts: Any = await table.locator("tbody tr").evaluate_all(
                "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent))"
            )
            expected = [
                [getattr(figures.visits.heat[day][hour], share) for day in range(7)] for hour in range(24)
            ]
            numbers = [[0 if text == "<1" else int(text) for text in row] for row in texts]
            assert numbers == [[round(100 * one) for one in row] for row in expected]
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert await page.evaluate(CONTRAST) >= 4.5, scheme
    await page.locator(".tiles b").first.evaluate("tile => { tile.textContent = '133245204.04 CNY' }")
    for width in (320, 390, 800, 1400):
        await page.set_viewport_size({"width": width, "height": 800})
        assert await overflow(page) <= 0, width
        assert await page.evaluate(CUT) == 0, width
    assert (await page.pdf(format="A4")).startswith(b"%PDF")
    assert wrong == []
