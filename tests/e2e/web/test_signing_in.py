"""By a one-time link, then by password; out again everywhere; tokens for programs."""

from uuid import uuid4

import httpx
from playwright.async_api import Page, expect
from tests.e2e.web.conftest import OpenPage
from tests.e2e.web.site import Site

PASSWORD = "four unrelated plain words"


async def enter_by_link(page: Page, link: str) -> None:
    await page.goto(link)
    await page.get_by_role("button", name="Sign in with this link").click()
    await expect(page.get_by_role("heading", name="Welcome")).to_be_visible()


async def test_link_then_password_then_out_everywhere(
    site: Site, open_page: OpenPage, forgiven: list[str]
) -> None:
    email = f"{uuid4().hex}@example.com"
    page = await open_page("/", guest=True)
    await expect(page).to_have_url(f"{site.url}/sign-in?next=%2F")
    await enter_by_link(page, await site.new_person(email))

    await page.goto("/settings/account")
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_role("button", name="Set password").click()
    await expect(page.get_by_text("The password is set.").first).to_be_visible()

    other = await open_page("/runs", guest=True)
    await other.get_by_label("E-mail address").fill(email)
    await other.get_by_label("Password").fill(PASSWORD)
    await other.get_by_role("button", name="Sign in").click()
    await expect(other).to_have_url(f"{site.url}/runs")

    await page.reload()
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Sign out everywhere").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    # The other window finds out by a refusal, which Chromium writes to the console.
    forgiven.append("401")
    await other.context.clear_cookies(name="rf_access")
    await other.reload()
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_spent_link_is_told(site: Site, open_page: OpenPage, forgiven: list[str]) -> None:
    forgiven.append("401")
    link = await site.new_person(f"{uuid4().hex}@example.com")
    page = await open_page(link, guest=True)
    await expect(page.get_by_role("button", name="Sign in with this link")).to_be_visible()
    # The token is not left in the address; opening the page has not used it up.
    assert "token" not in page.url
    await enter_by_link(page, link)
    guest = await open_page(link, guest=True)
    await guest.get_by_role("button", name="Sign in with this link").click()
    await expect(guest.get_by_role("alert")).to_contain_text("does not work any more")


async def test_a_wrong_password_is_told(open_page: OpenPage, forgiven: list[str]) -> None:
    forgiven.append("401")
    page = await open_page("/sign-in", guest=True)
    await page.get_by_label("E-mail address").fill("nobody@example.com")
    await page.get_by_label("Password").fill("a wrong password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("The address or the password is wrong.")


async def test_no_address_leads_to_another_site_after_signing_in(site: Site, open_page: OpenPage) -> None:
    link = await site.new_person(f"{uuid4().hex}@example.com")
    page = await open_page(f"{link}&next=//evil.example/", guest=True)
    await page.get_by_role("button", name="Sign in with this link").click()
    await expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    await expect(page).to_have_url(f"{site.url}/")


async def test_a_token_is_shown_once_works_and_can_be_removed(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/settings/tokens")
    await page.get_by_role("button", name="New token").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("CI of the docs")
    await dialog.get_by_label("registry:read").check()
    await dialog.get_by_role("button", name="Create token").click()
    token = await dialog.locator("code").inner_text()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers) as program:
        assert (await program.get("/api/v1/registry/skills")).status_code == 200
        await dialog.get_by_role("button", name="Done").click()
        await page.reload()
        await expect(page.get_by_text("CI of the docs")).to_be_visible()
        assert token not in await page.content()
        await page.get_by_role("button", name="Remove CI of the docs").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_text("CI of the docs")).to_have_count(0)
        assert (await program.get("/api/v1/registry/skills")).status_code == 401
