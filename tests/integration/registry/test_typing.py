"""Search while somebody types: the last word may go on."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from raptorflow.core.db import Database
from raptorflow.registry.models import SearchPosting
from raptorflow.registry.schemas import PublishReceipt, SkillHit
from raptorflow.registry.service import SkillsRegistry

Publish = Callable[..., Awaitable[PublishReceipt]]
TEXTS = {
    "analytics": "Finds trends and outliers in spreadsheets.",
    "google-ads": "Reports on campaigns and budgets.",
    "ad-writer": "Writes advertisements.",
    "address-book": "Keeps names and streets.",
    "trip-planner": "Plans journeys by train and plane and finds hotels.",
}


@pytest.fixture
async def typed(
    registry: SkillsRegistry, publish: Publish, org_id: UUID
) -> Callable[[str], Awaitable[list[SkillHit]]]:
    """What a query that is being typed finds among `TEXTS`."""
    for name, description in TEXTS.items():
        text = f"---\nname: {name}\ndescription: {description}\n---\nFollow the house style.\n"
        await publish({"SKILL.md": text}, name=name, install=True)

    async def search(query: str) -> list[SkillHit]:
        return [hit for hit in (await registry.search(org_id, query, typing=True)).hits if hit.installed]

    return search


async def test_every_beginning_of_a_word_finds_what_it_begins(
    registry: SkillsRegistry, org_id: UUID, typed: Callable[[str], Awaitable[list[SkillHit]]]
) -> None:
    for word, name in (
        ("analytics", "analytics"),
        ("Google", "google-ads"),
        ("spreadsheets", "analytics"),
        ("campaigns", "google-ads"),
        ("google-ads", "google-ads"),
        ("journeys", "trip-planner"),
    ):
        for end in range(3, len(word) + 1):
            assert (await typed(word[:end]))[0].name == name, word[:end]
    # Nothing but what it begins; and without `typing` a part of a word is no word.
    assert [hit.name for hit in await typed("goog")] == ["google-ads"]
    whole = (await registry.search(org_id, "goog")).hits
    assert [hit.words for hit in whole if hit.name == "google-ads"] == [0.0]


async def test_names_come_before_descriptions_and_a_finished_word_before_a_longer_one(
    typed: Callable[[str], Awaitable[list[SkillHit]]],
) -> None:
    assert [hit.name for hit in await typed("tr")] == ["trip-planner", "analytics"]
    assert {hit.name for hit in (await typed("ad"))[:2]} == {"ad-writer", "google-ads"}
    assert (await typed("addr"))[0].name == "address-book"


async def test_finished_words_count_beside_the_one_that_is_typed(
    typed: Callable[[str], Awaitable[list[SkillHit]]],
) -> None:
    assert (await typed("budgets camp"))[0].name == "google-ads"
    assert (await typed("plan my jour"))[0].name == "trip-planner"


async def test_a_whole_question_and_a_word_that_begins_nothing_are_found_by_meaning(
    typed: Callable[[str], Awaitable[list[SkillHit]]],
) -> None:
    assert (await typed("where to spend a vacation"))[0].name == "trip-planner"
    assert (await typed("vacation"))[0].name == "trip-planner"
    assert len(await typed("x")) == len(TEXTS)


async def test_each_place_of_a_word_has_its_weight(
    registry: SkillsRegistry, publish: Publish, org_id: UUID, registry_database: Database
) -> None:
    """A name weighs more than a description, and that more than the body."""
    text = "---\nname: heron\ndescription: A heron, and a heron.\n---\nHeron herons egret. Heron!\n"
    await publish({"SKILL.md": text}, name="heron")
    async with registry_database.session(org_id) as session:
        rows = await session.execute(
            select(SearchPosting.lexeme, SearchPosting.frequency, SearchPosting.length).where(
                SearchPosting.org_id == org_id, SearchPosting.lexeme.in_(["heron", "egret", "stork"])
            )
        )
    assert {lexeme: (frequency, length) for lexeme, frequency, length in rows} == {
        "heron": (1 * 4 + 2 * 2 + 3 * 1, 7),
        "egret": (1, 7),
    }
