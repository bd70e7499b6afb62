"""What axe objects to in a page (https://github.com/dequelabs/axe-core)."""

from importlib import import_module
from typing import Any

from playwright.async_api import Page

# The package has no types.
_AXE: Any = import_module("axe_playwright_python.async_playwright")


async def objections(page: Page) -> list[str]:
    """Everything it finds, of any impact."""
    found: Any = (await _AXE.Axe().run(page)).response
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]
