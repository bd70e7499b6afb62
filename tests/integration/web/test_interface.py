"""The interface over HTTP: a page for people, a true 404 for programs, no 500 without a build."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from raptorflow.core.http import install_http
from raptorflow.web.endpoints import install_interface
from raptorflow.web.interface import Interface

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGE = '<html><script nonce="__CSP_NONCE__" src="/assets/main-1a2b.js"></script></html>'


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "main-1a2b.js").write_text("export const words = 'words';\n" * 100)
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
async def client(build: Path) -> AsyncGenerator[httpx.AsyncClient]:
    app = FastAPI()
    install_http(app)
    install_interface(app, Interface(build))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://rf.test") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/sign-in?token=x", "/skills/raptorflow/analytics", "/chat/1"])
async def test_a_browser_gets_the_page_at_every_address(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path, headers=BROWSER)
    assert page.status_code == 200
    nonce = re.findall(r'nonce="([^"]+)"', page.text)[0]
    assert f"script-src 'nonce-{nonce}' 'strict-dynamic'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["referrer-policy"] == "same-origin"
    assert nonce not in (await client.get(path, headers=BROWSER)).text


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/ws/nothing", "/.well-known/oauth-protected-resource", "/mcp", "/assets/none.js"],
)
async def test_programs_addresses_are_never_answered_with_a_page(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert "<html" not in answer.text


async def test_who_wants_no_page_gets_none(client: httpx.AsyncClient) -> None:
    answer = await client.get("/skills", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert (await client.post("/skills", headers=BROWSER)).status_code == 405


async def test_files_named_by_their_content_are_kept_for_ever(client: httpx.AsyncClient) -> None:
    file = await client.get("/assets/main-1a2b.js", headers={"Accept-Encoding": "gzip"})
    assert file.status_code == 200
    assert "immutable" in file.headers["cache-control"]
    assert file.headers["content-encoding"] == "gzip"
    icon = await client.get("/favicon.svg")
    assert (icon.text, icon.headers["content-type"]) == ("<svg/>", "image/svg+xml")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/assets/../../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"]
)
async def test_nothing_outside_the_build_is_a_file(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("secret.txt", "")


async def test_without_a_build_the_page_says_how_to_make_one(client: httpx.AsyncClient, build: Path) -> None:
    (build / "index.html").unlink()
    page = await client.get("/", headers=BROWSER)
    assert page.status_code == 503
    assert "make ui" in page.text
    (build / "index.html").write_text(PAGE)
    assert (await client.get("/", headers=BROWSER)).status_code == 200
