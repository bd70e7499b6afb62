"""A build publishes by the command line with its CI provider's word, and with no secret of ours."""

import asyncio
import json
import re
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.ci_issuer import CiIssuer, ci_issuer
from tests.integration.conftest import COMMAND, House

from raptorflow.skills.scaffold.new import new_skill

SIGN_IN = re.compile(r"http://\S+/sign-in\?token=\S+")


@pytest.fixture(scope="module")
def provider() -> Generator[CiIssuer]:
    """A CI provider in a thread of its own: the commands that ask it block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def here(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    running = ci_issuer()
    yield here(running.__aenter__())
    here(running.__aexit__(None, None, None))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def house_settings(provider: CiIssuer) -> dict[str, str]:
    return {
        "RAPTORFLOW_ACCOUNTS__CI_ISSUERS": json.dumps({provider.url: "github"}),
        "RAPTORFLOW_ACCOUNTS__CI_LOCAL_ISSUERS": "true",
    }


@pytest.fixture
def organisation(running_house: House, provider: CiIssuer) -> str:
    """The slug of an organisation that trusts the provider's builds."""
    found = SIGN_IN.search(running_house.said)
    assert found
    with httpx.Client(base_url=f"{running_house.url}/api/v1/accounts") as client:
        token = parse_qs(urlsplit(found.group()).query)["token"][0]
        pair = client.post("/links/redeem", json={"token": token}).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {pair['access_token']}"
        rule = {
            "issuer": provider.url,
            "repository": "octo/skills",
            "workflow": "publish.yml",
            "skill": "notes",
        }
        client.post("/publishers", json=rule).raise_for_status()
        return client.get("/me").json()["organisations"][0]["slug"]


def test_a_build_publishes_the_skill_that_it_is_trusted_with(
    running_house: House, provider: CiIssuer, organisation: str, tmp_path: Path
) -> None:
    for name in ("notes", "other"):
        new_skill(tmp_path / "skills", name, "instructions")
    build = {name: text for name, text in running_house.environment.items() if "CONFIG" not in name}
    build |= {
        "HOME": str(tmp_path),
        "RAPTORFLOW_URL": running_house.url,
        "RAPTORFLOW_ORGANISATION": organisation,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{provider.url}/id",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "grant",
    }

    def publish(skill: str) -> Any:
        provider.documents["id"] = {"value": provider.token(aud=running_house.url)}
        command = [*COMMAND, "skill", "publish", f"skills/{skill}", "--json"]
        return json.loads(subprocess.run(command, cwd=tmp_path, env=build, capture_output=True).stdout)

    published = publish("notes")
    assert published["status"] == "published"
    assert "not other" in publish("other")["problem"]["detail"]
    page = f"/registry/skills/{organisation}/notes/versions/{published['version']}/page"
    assert running_house.get(page)["provenance"]["repository"] == "octo/skills"
    del build["RAPTORFLOW_ORGANISATION"]
    assert publish("notes")["error"]["code"] == "no-server-known"
