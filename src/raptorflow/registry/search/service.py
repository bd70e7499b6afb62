"""Hybrid search over what an organisation may see: words by BM25, meaning by vectors, fused."""

from uuid import UUID

from raptorflow.base.clock import Stopwatch
from raptorflow.core.db import Database
from raptorflow.registry.embeddings import Embedder, Vector
from raptorflow.registry.schemas import SearchResult, SkillHit
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.ranking import fuse
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

    async def search(self, org_id: UUID, query: str, limit: int, *, typing: bool = False) -> SearchResult:
        """The skills that fit a question: up to `limit` installed ones, then a few suggestions.

        Args:
            org_id: who asks.
            query: the question.
            limit: how many installed skills are wanted.
            typing: whether the last word may go on. A single word that is not finished has no meaning yet:
                it finds what it begins, and only when it begins nothing the nearest by meaning.
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
            near: dict[UUID, float] = {}
            if not (matches.all_begun and matches.order):
                near = await find_neighbours(session, org_id, vector or await self._vector(query))
            scores = fuse(matches.order, list(near))
            details = await describe(session, org_id, list(scores))
        hits = [
            SkillHit(
                name=name,
                ref=f"{namespace}/{name}",
                version=version,
                description=description,
                score=round(scores[skill_id], 4),
                words=round(matches.coverage.get(skill_id, 0.0), 4),
                similarity=round(near.get(skill_id, 0.0), 4),
                installed=installed,
            )
            for skill_id, namespace, name, version, description, installed in details
        ]
        hits.sort(key=lambda hit: (-hit.score, hit.ref))
        installed_hits = [hit for hit in hits if hit.installed][:limit]
        others = [hit for hit in hits if not hit.installed][: self._suggestions]
        return SearchResult(hits=[*installed_hits, *others], elapsed_ms=watch.elapsed_ms())

    async def vector_of(self, document: SearchText) -> Vector:
        """The vector of a skill's text."""
        return await self._vector(document.embedded())

    async def _vector(self, text: str) -> Vector:
        return (await self._embedder.embed([text]))[0]
