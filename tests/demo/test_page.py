"""The page in a real browser: asking, uploading, and what an open tab shows while the service is away."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.demo.demo_process import DemoProcess

playwright_api = pytest.importorskip("playwright.async_api")
from playwright.async_api import Page, async_playwright, expect  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as api:
        browser = await api.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(locale="en-US")
        page.set_default_timeout(20_000)
        yield page
        await browser.close()


async def test_ask_upload_and_a_service_that_goes_and_comes(
    process: DemoProcess, page: Page, tmp_path: Path
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    process.start("--seed").close()
    await page.goto(process.url)
    await expect(page.locator("#state")).to_have_text("awake for 0 s")
    await page.get_by_role("button", name="Is a stopped GPU machine still billed?").click()
    await expect(page.locator(".answer")).to_contain_text("its disk is still billed")
    await expect(page.locator(".timing")).to_contain_text("from gpu-billing.md")
    await expect(page.locator("mark").first).to_contain_text("A stopped GPU machine usually costs nothing")

    note = tmp_path / "石竹.md"
    note.write_text("<img src=x onerror=alert(1)> zorilla 石竹")
    await page.set_input_files("#file", note)
    await expect(page.locator("#documents")).to_contain_text("石竹.md")
    await page.fill("#question", "zorilla")
    await page.get_by_role("button", name="Ask", exact=True).click()
    await expect(page.locator("mark")).to_have_text("<img src=x onerror=alert(1)> zorilla 石竹")

    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00")
    await page.set_input_files("#file", tmp_path / "bad.txt")
    await expect(page.locator("#message")).to_have_text("That did not work: this is not a UTF-8 text")

    process.stop()
    await expect(page.locator("#state")).to_have_text("asleep: ask something and it wakes")
    process.start().close()
    await page.fill("#question", "How does a poorwill survive the winter?")
    await page.keyboard.press("Enter")
    await expect(page.locator(".answer")).to_contain_text("lowers its body temperature")
    await expect(page.locator("#state")).to_contain_text("awake for")
    assert problems == []
