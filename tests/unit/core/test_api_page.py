"""The API's page is whole on a machine without a way out, and nothing but its own files may run on it."""

import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from raptorflow.core.api_page import install_api_page


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI(title="Raptor <Flow>", docs_url=None, redoc_url=None)
    install_api_page(app)
    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, root_path="/below")


def test_everything_the_page_asks_for_is_here(app: FastAPI, client: TestClient) -> None:
    outside = FastAPI(openapi_url=None)
    outside.mount("/below", app)
    behind = TestClient(outside)
    page = client.get("/docs")
    assert page.status_code == 200
    assert "Raptor &lt;Flow&gt;" in page.text
    asked = re.findall(r'(?:src|href|data-document)="([^"]+)"', page.text)
    assert "/below/openapi.json" in asked
    assert all(address.startswith("/below/") or address == "data:," for address in asked)
    for address in asked:
        if address.startswith("/"):
            found = behind.get(address)
            assert found.status_code == 200, address
            assert len(found.content) > 100, address
    assert "SwaggerUIBundle" in behind.get("/below/docs/files/swagger-ui-bundle.js").text


def test_no_other_script_may_run_and_no_other_server_be_asked(client: TestClient) -> None:
    page = client.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "<script>" not in page.text


def test_there_is_no_second_page_that_needs_another_server(client: TestClient) -> None:
    assert client.get("/redoc").status_code == 404
