"""What a newcomer is offered works at once; what was asked stands among the runs."""

import re

from playwright.async_api import FilePayload, expect
from tests.e2e.web.conftest import OpenPage, Picture

from raptorflow.samples.made_data import campaigns_csv


async def test_the_question_on_made_data(open_page: OpenPage, picture: Picture) -> None:
    page = await open_page("/")
    await expect(page.get_by_text("4 skills are installed.")).to_be_visible()
    await picture(page, "home")
    await page.get_by_role("button", name="Ask it").click()
    await expect(page).to_have_url(re.compile("/chat/"))
    await expect(page.locator("p", has_text="Brand Search should get more budget").first).to_be_visible()

    await page.goto("/runs")
    await page.get_by_role("link", name=re.compile("Which campaign should get more budget")).first.click()
    await expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    await picture(page, "run")
    await page.locator("summary", has_text="Action").click()
    await expect(page.get_by_text("Sandbox").first).to_be_visible()
    await expect(page.get_by_role("img", name="Picture chart.png")).to_be_visible()


async def test_a_file_of_ones_own(open_page: OpenPage) -> None:
    page = await open_page("/")
    file = FilePayload(name="mine.csv", mimeType="text/csv", buffer=campaigns_csv(seed=11))
    await page.locator("input[type=file]").set_input_files(file)
    await expect(page).to_have_url(re.compile("/chat/"))
    await expect(page.get_by_text("Ran analytics: profile").first).to_be_visible()


async def test_the_way_to_an_action(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_role("link", name="Open the analytics skill").click()
    await expect(page.get_by_role("tab", name="Actions")).to_have_attribute("aria-selected", "true")


async def test_runs_are_filtered_by_status_in_the_address(open_page: OpenPage) -> None:
    page = await open_page("/runs?status=failed")
    await expect(page.get_by_role("heading", level=1, name="Runs")).to_be_visible()
    await expect(page.get_by_text("Succeeded", exact=True).nth(1)).to_have_count(0)
