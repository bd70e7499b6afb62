"""Every page in both themes and both sizes: nothing axe objects to, nothing wider than the screen."""

import asyncio

import pytest
from playwright.async_api import expect
from tests.e2e.web.axe import objections
from tests.e2e.web.conftest import DARK, DARK_PHONE, DESKTOP, LIGHT, LIGHT_PHONE, NAMES, PHONE, Look, OpenPage
from tests.e2e.web.site import POLL_SECONDS, Site

from raptorflow.samples.made_data import campaigns_csv

API = "/api/v1/orchestrator"
SKILL = "/skills/raptorflow/analytics"
PATHS = [
    "/",
    "/chat",
    "/chat/{session}",
    "/skills",
    "/skills?query=campaign",
    SKILL,
    f"{SKILL}?tab=actions",
    f"{SKILL}?tab=files",
    f"{SKILL}?tab=versions",
    "/runs",
    "/runs/{run}",
    "/settings/account",
    "/settings/models",
    "/settings/tokens",
    "/nowhere",
    "/sign-in",
    "/sign-in?token=x",
]


@pytest.fixture(scope="session")
async def answered(site: Site) -> dict[str, str]:
    """A conversation with an answer: its id and its run's."""
    sent = await site.admin.post(f"{API}/files?name=campaigns.csv", content=campaigns_csv())
    session = (await site.admin.post(f"{API}/sessions", json={})).json()["id"]
    message = {"text": "Which campaign should get more budget?", "files": [sent.json()["id"]]}
    run = (await site.admin.post(f"{API}/sessions/{session}/messages", json=message)).json()
    while run["status"] in {"queued", "running"}:
        await asyncio.sleep(POLL_SECONDS)
        run = (await site.admin.get(f"{API}/runs/{run['id']}")).json()
    assert run["status"] == "succeeded", run
    return {"session": session, "run": run["id"]}


@pytest.mark.parametrize("look", [LIGHT, DARK, LIGHT_PHONE, DARK_PHONE], ids=NAMES.__getitem__, indirect=True)
@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_for_everybody(
    open_page: OpenPage, answered: dict[str, str], path: str, look: Look
) -> None:
    page = await open_page(path.format(**answered), guest=path.startswith("/sign-in"))
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    folded = page.locator("main details:not([open]) > summary:visible")
    while await folded.count():
        await folded.first.click()
    assert await objections(page) == []
    width: int = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= (PHONE if look.phone else DESKTOP)["width"]
