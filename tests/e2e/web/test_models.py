"""Connecting a language model: provider, key, test, choice; and what becomes of a wrong key."""

from playwright.async_api import Page, expect
from tests.e2e.web.conftest import OpenPage, Picture
from tests.e2e.web.scripted_model import KEY, ScriptedModel


async def connect(page: Page, address: str, model: str, key: str) -> None:
    await page.get_by_role("button", name="Connect a model").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("A server that speaks OpenAI's protocol").click()
    await dialog.get_by_label("Base URL").fill(address)
    await dialog.get_by_label("Model", exact=True).fill(model)
    await dialog.get_by_label("API key (if").fill(key)
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_text(f"{model} is connected.").first).to_be_visible()


async def test_a_model_is_connected_tested_chosen_used_and_taken_away(
    open_page: OpenPage, model_server: ScriptedModel, picture: Picture
) -> None:
    page = await open_page("/settings/models")
    await expect(page.get_by_text("No language model is connected.").first).to_be_visible()
    await connect(page, model_server.url, "qwen3-8b", KEY)
    await page.get_by_role("button", name="Test qwen3-8b").click()
    await expect(page.get_by_text("Passed")).to_be_visible()
    await expect(page.get_by_text("Tool calling")).to_be_visible()
    await expect(page.get_by_text("No price is known for this model at this address.")).to_be_visible()
    await page.get_by_role("radio", name="qwen3-8b").check()
    await expect(page.get_by_text("qwen3-8b answers from now on.").first).to_be_visible()
    await picture(page, "models")
    await page.reload()
    await expect(page.get_by_role("radio", name="qwen3-8b")).to_be_checked()
    assert KEY not in await page.content()

    chat = await open_page("/chat")
    await chat.get_by_label("Your message").fill("5 words")
    await chat.get_by_role("button", name="Send").click()
    await expect(chat.get_by_role("article").get_by_text("word-5")).to_be_visible()
    await expect(chat.get_by_text("No language model is connected.")).to_have_count(0)

    await page.get_by_role("button", name="Delete qwen3-8b").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("No language model is connected.").first).to_be_visible()


async def test_a_wrong_key_is_told_with_what_to_do(open_page: OpenPage, model_server: ScriptedModel) -> None:
    page = await open_page("/settings/models")
    await connect(page, model_server.url, "wrong", "sk-this-is-not-the-key")
    await page.get_by_role("button", name="Test wrong").click()
    await expect(page.get_by_text("does not accept the key").first).to_be_visible()
    await page.get_by_role("button", name="Delete wrong").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("radio", name="wrong")).to_have_count(0)
