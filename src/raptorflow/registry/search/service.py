"""Hybrid search over what an organisation may see: words by BM25, meaning by vectors, fused."""

from collections.abc import Sequence
from uuid import UUID

from raptorflow.base.clock import Stopwatch
from raptorflow.core.db import Database
from raptorflow.registry.embeddings import Embedder, Vector
from raptorflow.registry.schemas import SearchResult, SkillHit
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.ranking import Found, fuse
from raptorflow.registry.search.repository import describe, find_neighbours
from raptorflow.registry.search.unfinished import unfinished
from raptorflow.registry.search.words import match_unfinished, match_words


class SkillSearch:
    """Searches and indexes.

    Args:
        database: where the index is.
        embedder: makes vectors of texts.
        suggestions: how many skills that are not installed may follow those that are.
    """

    def __init__(self, database: Database, embedder: Embedder, suggestions: int) -> None:
        self._database = database
        self._embedder = embedder
        self._suggestions = suggestions

    async def search(
        self, org_id: UUID, query: str, limit: int, *, typing: bool = False, suggestions: int | None = None
    ) -> SearchResult:
        """The skills that fit a question: up to `limit` installed ones, then a few suggestions.

        Args:
            org_id: who asks.
            query: the question.
            limit: how many installed skills are wanted.
            typing: whether the last word may go on. A single word that is not finished has no meaning yet:
                it finds what it begins, and only when it begins nothing the nearest by meaning.
            suggestions: how many skills that are not installed may follow; as the settings say when None.
        """
        watch = Stopwatch()
        last = unfinished(query) if typing else None
        # Before the transaction where it is sure to be needed: a connection should not wait for a model.
        vector = None if last and not last.finished.strip() else await self._vector(query)
        async with self._database.session(org_id) as session:
            if last:
                matches = await match_unfinished(session, org_id, last)
            else:
                matches = await match_words(session, org_id, query)
            near: list[Found] = []
            if not (matches.all_begun and matches.found):
                near = await find_neighbours(session, org_id, vector or await self._vector(query))
            others = self._suggestions if suggestions is None else suggestions
            chosen = self._choose(matches.found, near, (limit, others))
            details = await describe(session, org_id, list(chosen))
        words = {one.skill_id: one.share for one in matches.found}
        similarity = {one.skill_id: one.share for one in near}
        hits = [
            SkillHit(
                name=name,
                ref=f"{namespace}/{name}",
                version=version,
                description=description,
                score=round(chosen[skill_id][0], 4),
                words=round(words.get(skill_id, 0.0), 4),
                similarity=round(similarity.get(skill_id, 0.0), 4),
                installed=chosen[skill_id][1],
            )
            for skill_id, namespace, name, version, description in details
        ]
        hits.sort(key=lambda hit: (not hit.installed, -hit.score, hit.ref))
        return SearchResult(hits=hits, elapsed_ms=watch.elapsed_ms())

    @staticmethod
    def _choose(
        matches: Sequence[Found], near: Sequence[Found], limits: tuple[int, int]
    ) -> dict[UUID, tuple[float, bool]]:
        """The best installed skills and the best others, so many of each, with their scores."""
        scores = fuse(matches, near)
        installed = {one.skill_id: one.installed for one in (*matches, *near)}
        ordered = sorted(scores, key=lambda skill_id: (-scores[skill_id], skill_id))
        best = [skill_id for skill_id in ordered if installed[skill_id]][: limits[0]]
        best += [skill_id for skill_id in ordered if not installed[skill_id]][: limits[1]]
        return {skill_id: (scores[skill_id], installed[skill_id]) for skill_id in best}

    async def vector_of(self, document: SearchText) -> Vector:
        """The vector of a skill's text."""
        return await self._vector(document.embedded())

    async def _vector(self, text: str) -> Vector:
        return (await self._embedder.embed([text]))[0]
