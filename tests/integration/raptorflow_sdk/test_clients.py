"""Both clients against a running RaptorFlow: ask, follow, publish, search, and what is refused."""

import json
from pathlib import Path

import pytest

from raptorflow.skills.archive import pack, pack_files
from raptorflow.skills.scaffold.new import new_skill
from raptorflow_sdk.api.registry.models import InstallRequest
from raptorflow_sdk.async_client import AsyncRaptorFlow
from raptorflow_sdk.client import RaptorFlow
from raptorflow_sdk.errors import RequestRefused, RunFailed

QUESTION = "Which campaign should get more budget?"


@pytest.fixture
def connection(house: dict[str, str]) -> dict[str, str]:
    """The URL and token of the running server."""
    file = Path(house["XDG_CONFIG_HOME"]) / "raptorflow" / "connection.json"
    return json.loads(file.read_text())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table in which the second campaign converts far better."""
    rows = ["Alpha,10,1\nBeta,10,9"] * 30
    file = tmp_path / "campaigns.csv"
    file.write_text("campaign,spend,conversions\n" + "\n".join(rows) + "\n")
    return file


def test_the_blocking_client_asks_with_a_file_and_fetches_the_chart(
    connection: dict[str, str], table: Path
) -> None:
    with RaptorFlow(**connection) as flow:
        answer = flow.ask(QUESTION, files=[table])
        (chart,) = answer.artifacts
        assert answer.text.startswith("Beta should get more budget")
        assert list(answer.skills) == ["analytics"]
        assert [event["seq"] for event in answer.events] == list(range(1, len(answer.events) + 1))
        content = flow.download(chart)
        assert content.startswith(b"\x89PNG")
        assert len(content) == chart.size
        again = flow.ask("And which one is worse?", session_id=answer.session_id)
        assert again.session_id == answer.session_id


async def test_the_other_client_follows_an_answer_and_goes_on_after_a_break(
    connection: dict[str, str], table: Path
) -> None:
    async with AsyncRaptorFlow(**connection) as flow:
        answer = await flow.begin(QUESTION, files=[table])
        async for event in flow.stream(answer):
            if event.get("seq", 0) >= 2:
                break
        seen = answer.last_number
        assert not answer.finished
        async for event in flow.stream(answer):
            assert event.get("seq", seen + 1) > seen
        assert answer.text.startswith("Beta should get more budget")


async def test_a_skill_is_published_found_installed_and_its_archive_comes_back(
    connection: dict[str, str], tmp_path: Path
) -> None:
    archive = pack(new_skill(tmp_path, "word-counter", "python"))
    async with AsyncRaptorFlow(**connection) as flow:
        receipt = await flow.publish(archive, install=False)
        me = await flow.accounts.me()
        (namespace,) = [each.slug for each in me.organisations if each.id == me.organisation_id]
        name = str(receipt.skill)
        ref = f"{namespace}/{name}"
        found = await flow.registry.skill(namespace, name)
        assert found.digest == receipt.digest
        assert await flow.registry.archive(namespace, name, found.version) == archive
        text = await flow.registry.file(namespace, name, found.version, "scripts/count-words.py")
        assert b"def main" in text
        consent = await flow.registry.consent(namespace, name, found.version)
        wanted = InstallRequest(version=found.version, granted=consent.declared, digest=found.digest)
        assert (await flow.registry.install(namespace, name, wanted)).version == found.version
        hits = (await flow.registry.search("count the words of a text")).hits
        assert ref in {hit.ref for hit in hits}
        await flow.registry.uninstall(namespace, name)
        assert ref not in {each.ref for each in await flow.registry.installations()}


def test_the_registry_s_refusal_is_an_error_with_its_code(connection: dict[str, str]) -> None:
    with RaptorFlow(**connection) as flow:
        with pytest.raises(RunFailed) as refused:
            flow.publish(pack_files("broken", {"SKILL.md": b"no frontmatter"}, ()))
        assert refused.value.code == "skill-invalid"
        with pytest.raises(RequestRefused) as missing:
            flow.registry.skill("nobody", "nothing")
        assert (missing.value.status, missing.value.code) == (404, "skill-not-found")


def test_a_wrong_token_is_refused(connection: dict[str, str]) -> None:
    with (
        RaptorFlow(connection["url"], "not-a-token") as flow,
        pytest.raises(RequestRefused, match=r"\w") as refused,
    ):
        flow.accounts.me()
    assert refused.value.status == 401
