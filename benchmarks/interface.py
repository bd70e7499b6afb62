"""The web interface in Chromium: its size, its first paint, and an answer of 200 tokens a second.

    PYTHONPATH=. python benchmarks/interface.py

The last line is one JSON object: `main_kb` (the scripts that the page itself names, gzip), `fcp_p50_ms` and
`fcp_max_ms` over fresh browser contexts (first contentful paint of the home page, nothing cached), and, while
a scripted model writes 1,000 tokens at 200 a second into a conversation, `frames`, `frame_p50_ms`,
`frame_p99_ms` and `dropped`: frames that came more than half a frame late, and `tokens_per_second` as shown.
Reach 200 kB, 1,000 ms, and no dropped frame.
"""

import asyncio
import gzip
import re
import shutil
import socket
import statistics
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, StorageState, async_playwright
from tests.e2e.web.scripted_model import KEY, ScriptedModel, scripted_model
from tests.e2e.web.site import Site, running_site

from raptorflow.base.json import dumps
from raptorflow.stack.places import open_place
from raptorflow.web.interface import BUILT

MODELS = "/api/v1/orchestrator/models"
PAINTS, TOKENS, FRAME_MS = 9, 1_000, 1000 / 60
LATE_MS = FRAME_MS * 1.5
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
WATCH = """() => {
    window.frames_ms = [];
    let before = performance.now();
    const look = (now) => { window.frames_ms.push(now - before); before = now; requestAnimationFrame(look); };
    requestAnimationFrame(look);
}"""
FIRST_PAINT = """() => new Promise((done) => {
    const told = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    const look = () => told() ? done(told()) : requestAnimationFrame(look);
    look();
})"""


def main_kb() -> float:
    """Kilobytes of the page's own scripts, as they travel."""
    page = (BUILT / "index.html").read_text()
    names = set(re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', page))
    return sum(len(gzip.compress((BUILT / name[1:]).read_bytes())) for name in names) / 1000


async def sign_in(browser: Browser, site: Site) -> StorageState:
    """The administrator's cookies."""
    context = await browser.new_context(base_url=site.url)
    page = await context.new_page()
    await page.goto(await site.link_of_admin())
    await page.get_by_role("button", name="Sign in with this link").click()
    await page.get_by_role("heading", name="Welcome").wait_for()
    state = await context.storage_state()
    await context.close()
    return state


async def first_paints(browser: Browser, site: Site, state: StorageState) -> list[float]:
    """First contentful paints in milliseconds."""
    found: list[float] = []
    for _ in range(PAINTS):
        context = await browser.new_context(base_url=site.url, storage_state=state)
        page = await context.new_page()
        await page.goto("/")
        found.append(await page.evaluate(FIRST_PAINT))
        await context.close()
    return found


async def stream(page: Page) -> tuple[list[float], float]:
    """The lengths of frames while an answer is written, and how many seconds it took."""
    await page.goto("/chat")
    await page.get_by_label("Your message").fill(f"{TOKENS} words")
    await page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("article")
    await answer.get_by_text("word-10 ").wait_for()
    began = asyncio.get_running_loop().time()
    await page.evaluate(WATCH)
    await answer.get_by_text(f"word-{TOKENS}").wait_for(timeout=60_000)
    seconds = asyncio.get_running_loop().time() - began
    frames: list[float] = await page.evaluate("window.frames_ms")
    return frames[2:], seconds


async def connect(site: Site, model: ScriptedModel) -> None:
    """Let the scripted model answer."""
    wanted = {"provider": "openai-compatible", "model": "scripted", "base_url": model.url, "api_key": KEY}
    made = (await site.admin.post(MODELS, json=wanted)).raise_for_status().json()
    await site.admin.put(f"{MODELS}/choice", json={"connection_id": made["id"]})


async def measure(folder: Path) -> dict[str, float | int]:
    """All figures."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = shutil.which("chromium") or "chromium"
    async with running_site(folder, port) as site, scripted_model() as model, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=program, args=QUIET.split())
        state = await sign_in(browser, site)
        paints = await first_paints(browser, site, state)
        await connect(site, model)
        context = await browser.new_context(base_url=site.url, storage_state=state)
        frames, seconds = await stream(await context.new_page())
        await browser.close()
    cuts = statistics.quantiles(frames, n=100)
    return {
        "main_kb": round(main_kb(), 1),
        "fcp_p50_ms": round(statistics.median(paints), 1),
        "fcp_max_ms": round(max(paints), 1),
        "frames": len(frames),
        "frame_p50_ms": round(cuts[49], 2),
        "frame_p99_ms": round(cuts[98], 2),
        "dropped": sum(frame > LATE_MS for frame in frames),
        "tokens_per_second": round((TOKENS - 10) / seconds, 1),
    }


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    folder.chmod(0o755)
    try:
        print(dumps(asyncio.run(measure(folder))))
    finally:
        open_place(folder / "data").remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
