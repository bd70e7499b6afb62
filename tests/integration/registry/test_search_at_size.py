"""Search among 1,500 skills of two organisations: what one may see is not lost in what one may not."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.base.ids import new_id
from raptorflow.core.db import Database
from raptorflow.core.migrate import upgrade
from raptorflow.registry.embeddings import HashingEmbedder
from raptorflow.registry.models import InstallationRow, SkillRow, VersionRow
from raptorflow.registry.schemas import SkillHit
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.repository import describe, index_skill
from raptorflow.registry.search.service import SkillSearch
from raptorflow.registry.search.words import match_words
from raptorflow.stack.places import open_place
from raptorflow.stack.postgres import EmbeddedPostgres

LARGE, SMALL, NOT_INSTALLED, SUGGESTIONS = 1450, 50, 10, 3
# Stop words: full text drops them, and only the vectors hold them.
MEANING = "what should we do with all of these"
WORDS = ("campaign", "budget", "invoice", "customer", "weather", "contract", "image", "table")


@dataclass(frozen=True)
class Made:
    """A skill to be put into the database, past the pipeline."""

    org_id: UUID
    name: str
    description: str
    body: str
    public: bool
    installed: bool


@dataclass(frozen=True)
class Full:
    """The database and its two organisations."""

    database: Database
    search: SkillSearch
    large: UUID
    small: UUID

    async def installed(self, org_id: UUID, query: str, limit: int) -> list[SkillHit]:
        return [hit for hit in (await self.search.search(org_id, query, limit)).hits if hit.installed]


def made(large: UUID, small: UUID) -> list[Made]:
    """All of the large organisation's skills fit every query better than those of the small one."""
    chance = random.Random(5)
    skills = [
        Made(large, f"large-{at}", f"{' '.join(WORDS)} {MEANING}", " ".join(WORDS), at % 3 == 0, at % 2 == 0)
        for at in range(LARGE)
    ]
    skills += [
        Made(
            small,
            f"small-{at}",
            f"Helps with the {WORDS[at % len(WORDS)]} number {at} and what to do",
            " ".join(chance.choices(("cat", "dog", "cow"), k=40)),
            public=False,
            installed=at >= NOT_INSTALLED,
        )
        for at in range(SMALL)
    ]
    return skills


async def put(session: AsyncSession, skill: Made, embedder: HashingEmbedder) -> None:
    skill_id, version_id = new_id(), new_id()
    visibility = "public" if skill.public else "private"
    common = {"org_id": skill.org_id, "visibility": visibility, "description": skill.description}
    session.add(
        SkillRow(id=skill_id, namespace=skill.org_id.hex, name=skill.name, latest_version="1.0.0", **common)
    )
    await session.flush()
    empty: dict[str, Any] = {"files": [], "capabilities": {}, "actions": []}
    session.add(VersionRow(id=version_id, skill_id=skill_id, version="1.0.0", digest="0", **common, **empty))
    await session.flush()
    if skill.installed:
        pinned: dict[str, Any] = {"skill_id": skill_id, "version_id": version_id, "granted": {}}
        session.add(InstallationRow(id=new_id(), org_id=skill.org_id, **pinned))
    document = SearchText(skill.name, skill.description, skill.body)
    vector = (await embedder.embed([document.embedded()]))[0]
    await index_skill(session, skill_id, (skill.org_id, visibility), document, vector)


@pytest.fixture(scope="module")
async def full() -> AsyncGenerator[Full]:
    """A server of its own: so many documents would change what others find in the session's."""
    folder = Path(tempfile.mkdtemp(prefix="rf-"))
    server = EmbeddedPostgres(folder)
    urls = await server.start()
    try:
        await asyncio.to_thread(upgrade, urls.owner_url)
        database, embedder, large, small = Database(urls.app_url), HashingEmbedder(), new_id(), new_id()
        async with database.system_session() as session:
            for skill in made(large, small):
                await put(session, skill, embedder)
        async with database.system_session() as session:
            await session.execute(text("analyze"))
        yield Full(database, SkillSearch(database, embedder, SUGGESTIONS), large, small)
        await database.close()
    finally:
        await server.stop()
        open_place(folder).remove()
        shutil.rmtree(folder)


@pytest.mark.parametrize("word", WORDS)
async def test_a_word_finds_every_installed_skill_that_holds_it(full: Full, word: str) -> None:
    wanted = {f"small-{at}" for at in range(NOT_INSTALLED, SMALL) if WORDS[at % len(WORDS)] == word}

    hits = await full.installed(full.small, word, len(wanted))

    assert {hit.name for hit in hits} == wanted
    assert all(hit.words == 1.0 for hit in hits)


async def test_a_meaning_finds_every_installed_skill_beside_nearer_ones_of_others(full: Full) -> None:
    hits = await full.installed(full.small, MEANING, SMALL)

    assert len(hits) == SMALL - NOT_INSTALLED
    assert all(hit.similarity > 0 for hit in hits)


async def test_suggestions_are_found_among_what_may_be_seen(full: Full) -> None:
    """A third of the large organisation's skills is public; the nearest of all are private."""
    async with full.database.system_session() as session:
        await session.execute(text("update search_documents set visibility = 'private'"))
        await session.execute(text("update search_postings set visibility = 'private'"))
    for query in (MEANING, "number"):
        hits = (await full.search.search(full.small, query, 5)).hits
        others = [hit for hit in hits if not hit.installed]
        assert len(others) == SUGGESTIONS, query
        assert all(hit.name.startswith("small-") for hit in others)


@pytest.mark.parametrize("wanted", [0, 20])
async def test_who_looks_for_something_new_may_ask_for_more_suggestions(full: Full, wanted: int) -> None:
    hits = (await full.search.search(full.large, "campaign", 5, suggestions=wanted)).hits
    assert [hit.installed for hit in hits] == [True] * 5 + [False] * wanted


async def test_the_one_that_holds_every_word_is_found_among_all_that_hold_some(full: Full) -> None:
    """All 1,450 hold `campaign` and `budget`; one has a name that is asked for."""
    async with full.database.session(full.large) as session:
        for name in ("large-2", "large-724", "large-1448"):
            matches = await match_words(session, full.large, f"campaign budget {name}")
            (best,) = await describe(session, full.large, [matches.found[0].skill_id])
            assert (best.name, matches.found[0].share) == (name, 1.0)
            assert matches.found[1].share < 1.0


async def test_row_level_security_lets_the_index_of_words_be_used(full: Full) -> None:
    async with full.database.session(full.small) as session:
        plan = await session.execute(
            text("explain select skill_id from search_postings where lexeme = 'dog' and org_id = :org_id"),
            {"org_id": full.small},
        )
        lines = "\n".join(row[0] for row in plan)
    assert "Index Cond" in lines
    assert "lexeme = 'dog'" in lines
