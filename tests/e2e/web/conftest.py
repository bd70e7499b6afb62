"""Debian's Chromium against a whole RaptorFlow; every page is watched for errors of its console."""

import os
import shutil
import socket
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    StorageState,
    ViewportSize,
    async_playwright,
    expect,
)
from tests.e2e.web.scripted_model import KEY, ScriptedModel, scripted_model
from tests.e2e.web.site import Cable, Site, running_site

from raptorflow.stack.places import open_place

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Nothing but the site is asked: no updates, no time, no safe browsing.
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
EXPECT_SECONDS = 15.0
MODELS = "/api/v1/orchestrator/models"

expect.set_options(timeout=EXPECT_SECONDS * 1000)

OpenPage = Callable[..., Awaitable[Page]]
Picture = Callable[[Page, str], Awaitable[None]]


@pytest.fixture(scope="session")
def site_folder() -> Generator[Path]:
    """A short path that the sandbox's user can go through."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    folder.chmod(0o755)
    yield folder
    open_place(folder / "data").remove()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def site(site_folder: Path) -> AsyncGenerator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with running_site(site_folder, port) as running:
        yield running


@pytest.fixture(scope="session")
async def browser() -> AsyncGenerator[Browser]:
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert program, "Chromium is missing: apt-get install chromium"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program, args=QUIET.split())
        yield chromium
        await chromium.close()


@pytest.fixture(scope="session")
async def signed_in(site: Site, browser: Browser) -> StorageState:
    """The administrator's cookies, made once for all tests."""
    context = await browser.new_context(base_url=site.url)
    page = await context.new_page()
    await page.goto(await site.link_of_admin())
    await page.get_by_role("button", name="Sign in with this link").click()
    await page.get_by_role("heading", name="Welcome").wait_for()
    state = await context.storage_state()
    await context.close()
    return state


@pytest.fixture
def forgiven() -> list[str]:
    """Parts of complaints that a test expects, such as those of a network that it cuts itself."""
    return []


@dataclass(frozen=True)
class Look:
    """How somebody sees the pages."""

    dark: bool
    phone: bool


LIGHT, DARK, LIGHT_PHONE, DARK_PHONE = (
    Look(dark, phone) for phone in (False, True) for dark in (False, True)
)
NAMES = {LIGHT: "light-1280", DARK: "dark-1280", LIGHT_PHONE: "light-390", DARK_PHONE: "dark-390"}


@pytest.fixture(params=[LIGHT, DARK_PHONE], ids=NAMES.__getitem__)
def look(request: pytest.FixtureRequest) -> Look:
    """Each journey is made twice: in light on a screen, in dark on a phone."""
    return request.param


@pytest.fixture
async def open_page(
    site: Site, browser: Browser, signed_in: StorageState, forgiven: list[str], look: Look
) -> AsyncGenerator[OpenPage]:
    """Opens a path as the person who is signed in; the test fails when the console tells of an error."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(f"{message.text} ({message.location.get('url')})")

    async with AsyncExitStack() as contexts:

        async def open_path(path: str = "/", *, guest: bool = False, url: str = "") -> Page:
            context = await browser.new_context(
                base_url=url or site.url,
                storage_state=None if guest else signed_in,
                color_scheme="dark" if look.dark else "light",
                viewport=PHONE if look.phone else DESKTOP,
                reduced_motion="reduce",
                permissions=["clipboard-read", "clipboard-write"],
            )
            contexts.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(EXPECT_SECONDS * 1000)
            page.on("console", listen)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(path)
            return page

        yield open_path
    assert [text for text in complaints if not any(part in text for part in forgiven)] == []


@pytest.fixture(scope="session")
async def model_server() -> AsyncGenerator[ScriptedModel]:
    """A language model on loopback."""
    async with scripted_model() as model:
        yield model


@pytest.fixture
async def connected(site: Site, model_server: ScriptedModel) -> AsyncGenerator[ScriptedModel]:
    """The scripted model, connected and chosen for the administrator's organisation."""
    wanted = {
        "provider": "openai-compatible",
        "model": "scripted",
        "base_url": model_server.url,
        "api_key": KEY,
    }
    made = (await site.admin.post(MODELS, json={**wanted, "api_key": KEY})).raise_for_status().json()
    await site.admin.put(f"{MODELS}/choice", json={"connection_id": made["id"]})
    yield model_server
    (await site.admin.delete(f"{MODELS}/{made['id']}")).raise_for_status()


@pytest.fixture
async def picture(look: Look) -> Picture:
    """Keeps what a page shows as a picture of the documents, when `make pictures` asks for them."""

    async def keep(page: Page, name: str) -> None:
        if look == LIGHT and (folder := os.environ.get("PICTURES")):
            await page.mouse.move(0, 0)
            await page.screenshot(path=f"{folder}/{name}.png", animations="disabled")

    return keep


@pytest.fixture
async def cable(site: Site) -> AsyncGenerator[Cable]:
    """A connection to the site that can be cut and mended; open pages with `url=cable.url`."""
    made = Cable(int(site.url.rpartition(":")[2]))
    await made.start()
    yield made
    await made.cut()
