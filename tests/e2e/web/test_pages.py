"""Every page in both themes and both sizes: nothing axe objects to, nothing wider than the screen."""

from importlib import import_module
from typing import Any

import pytest
from playwright.async_api import Page, expect
from tests.e2e.web.conftest import OpenPage

PATHS = [
    "/",
    "/chat",
    "/skills",
    "/skills/raptorflow/analytics",
    "/runs",
    "/settings/account",
    "/settings/models",
    "/settings/tokens",
    "/nowhere",
]
# The package has no types.
AXE: Any = import_module("axe_playwright_python.async_playwright")
LOOKS = [(dark, phone) for dark in (False, True) for phone in (False, True)]
LOOK_NAMES = ["light-1280", "light-390", "dark-1280", "dark-390"]


async def objections(page: Page) -> list[str]:
    """What axe finds, of any impact."""
    found: Any = (await AXE.Axe().run(page)).response
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]


@pytest.mark.parametrize(("dark", "phone"), LOOKS, ids=LOOK_NAMES)
@pytest.mark.parametrize("path", [*PATHS, "/sign-in"])
async def test_a_page_is_for_everybody(open_page: OpenPage, path: str, dark: bool, phone: bool) -> None:
    page = await open_page(path, dark=dark, phone=phone, guest=path == "/sign-in")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_role("status", name="Loading")).to_have_count(0)
    assert await objections(page) == []
    width: int = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= (390 if phone else 1280)
