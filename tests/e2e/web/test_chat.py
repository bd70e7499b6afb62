"""A question and a file, the skill's cards, and an answer that survives everything a browser goes through."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Locator, Page, expect
from tests.e2e.web.conftest import Look, OpenPage, Picture
from tests.e2e.web.scripted_model import ScriptedModel
from tests.e2e.web.site import Cable

from raptorflow.samples.made_data import campaigns_csv

WORDS = 300


def words_of(count: int) -> str:
    return " ".join(f"word-{number}" for number in range(1, count + 1))


async def ask(page: Page, question: str) -> None:
    await page.get_by_label("Your message").fill(question)
    await page.get_by_role("button", name="Send").click()


async def begin(open_page: OpenPage, question: str, *, url: str = "") -> Page:
    page = await open_page("/chat", url=url)
    await ask(page, question)
    await expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}$"))
    return page


async def test_a_question_about_a_file_is_answered_by_the_skill_that_fits(
    open_page: OpenPage, tmp_path: Path, picture: Picture
) -> None:
    csv = tmp_path / "campaigns.csv"
    csv.write_bytes(campaigns_csv())
    page = await open_page("/chat")
    await expect(page.get_by_text("No language model is connected.").first).to_be_visible()
    await page.locator("input[type=file]").set_input_files(csv)
    await ask(page, "Which campaign should get more budget?")
    await expect(page.get_by_text("Loaded analytics").first).to_be_visible()
    await expect(page.get_by_text("Ran analytics: compare").first).to_be_visible()
    chart = page.get_by_role("img", name="Picture chart.png")
    await expect(chart).to_be_visible()
    assert await chart.evaluate("async chart => { await chart.decode(); return chart.naturalWidth }")
    await expect(answers(page).locator("p", has_text="should get more budget:").first).to_be_visible()
    await expect(page.get_by_text("Why").first).to_be_attached()
    await picture(page, "chat")
    await page.reload()
    await expect(answers(page).locator("p", has_text="should get more budget:").first).to_be_visible()
    await expect(page.get_by_role("img", name="Picture chart.png")).to_be_visible()


async def test_a_refused_file_is_told_and_nothing_is_lost(open_page: OpenPage, forgiven: list[str]) -> None:
    forgiven.append("413")
    page = await open_page("/chat")
    await page.get_by_label("Your message").fill("What is in it?")
    await page.locator("input[type=file]").evaluate(
        """input => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(101 * 1024 * 1024)], "large.csv"));
            input.files = files.files;
            input.dispatchEvent(new Event("change", { bubbles: true }));
        }"""
    )
    await expect(page.get_by_text(re.compile("large.csv has .* bytes")).first).to_be_visible()
    await expect(page.get_by_label("Your message")).to_have_value("What is in it?")


async def test_a_reload_and_a_second_tab_in_mid_answer_lose_and_double_nothing(
    open_page: OpenPage, connected: ScriptedModel
) -> None:
    page = await begin(open_page, f"{WORDS} words")
    await expect(answers(page).get_by_text("word-20 ")).to_be_visible()
    second = await open_page(page.url)
    await page.reload()
    for window in (page, second):
        await expect(answers(window).get_by_text(f"word-{WORDS}")).to_be_visible()
        assert words_of(WORDS) in await text_of_answers(window)


async def test_the_network_may_go_in_mid_answer_and_come_back(
    open_page: OpenPage, connected: ScriptedModel, cable: Cable, forgiven: list[str]
) -> None:
    forgiven += ["ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "WebSocket", "ERR_SOCKET", "ERR_NETWORK"]
    page = await begin(open_page, f"{WORDS} words", url=cable.url)
    await expect(answers(page).get_by_text("word-20 ")).to_be_visible()
    await cable.cut()
    await expect(page.get_by_text("Reconnecting…")).to_be_visible()
    await cable.mend()
    await expect(answers(page).get_by_text(f"word-{WORDS}")).to_be_visible()
    await expect(page.get_by_text("Reconnecting…")).to_have_count(0)
    assert words_of(WORDS) in await text_of_answers(page)


async def test_stop_retry_and_edit(open_page: OpenPage, connected: ScriptedModel) -> None:
    page = await begin(open_page, "2000 words")
    await expect(answers(page).get_by_text("word-20 ")).to_be_visible()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_text("Stopped.").first).to_be_visible()
    await page.get_by_role("button", name="Edit and resend").click()
    await page.get_by_label("Edited message").fill("7 words")
    await page.get_by_role("button", name="Resend", exact=True).click()
    await expect(answers(page).get_by_text("7 words", exact=True)).to_be_visible()
    await expect(answers(page).get_by_text("word-7").last).to_be_visible()
    await expect(answers(page).get_by_text("2000 words")).to_have_count(0)
    connected.words_per_second = 20
    await page.get_by_role("button", name="Retry").click()
    await expect(answers(page).get_by_text("word-7")).to_have_count(0)
    await expect(answers(page).get_by_text("word-7").last).to_be_visible()
    connected.words_per_second = 200
    await page.reload()
    await expect(answers(page).get_by_text("word-7").last).to_be_visible()
    assert (await text_of_answers(page)).count("word-7") == 1


async def test_conversations_are_renamed_and_deleted(open_page: OpenPage, look: Look) -> None:
    title = f"What can you do with zebra {uuid4().hex[:8]}?"
    page = await begin(open_page, title)
    if look.phone:
        await page.get_by_role("button", name="Conversations").click()
    await page.get_by_role("button", name=f"Rename “{title}”").click()
    await page.get_by_label("Title").fill("Zebras")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("link", name="Zebras")).to_be_visible()
    await page.get_by_role("button", name="Delete “Zebras”").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("link", name="Zebras")).to_have_count(0)


def answers(page: Page) -> Locator:
    """What is on the screen of questions and answers; what is read aloud stands elsewhere."""
    return page.get_by_role("article")


async def text_of_answers(page: Page) -> str:
    """What is read of the answers, white space folded."""
    return " ".join(" ".join(await answers(page).all_inner_texts()).split())


@pytest.mark.parametrize("markup", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"])
async def test_what_people_write_is_text(open_page: OpenPage, markup: str) -> None:
    page = await begin(open_page, f"zebra {markup}")
    await expect(answers(page).get_by_text(markup).first).to_be_visible()
    assert await page.locator("script:not([src])").count() == 0
