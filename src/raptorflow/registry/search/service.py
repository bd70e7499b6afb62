"""Hybrid search over what an organisation may see: words by BM25, meaning by vectors, fused."""

from uuid import UUID

from raptorflow.base.clock import Stopwatch
from raptorflow.core.db import Database
from raptorflow.registry.embeddings import Embedder, Vector
from raptorflow.registry.schemas import SearchResult, SkillHit
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.ranking import bm25, coverage, fuse
from raptorflow.registry.search.repository import describe, find_candidates, find_neighbours, read_corpus


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

    async def search(self, org_id: UUID, query: str, limit: int) -> SearchResult:
        """The skills that fit a question: up to `limit` installed ones, then a few suggestions."""
        watch = Stopwatch()
        vector = (await self._embedder.embed([query]))[0]
        async with self._database.session(org_id) as session:
            corpus = await read_corpus(session, query)
            candidates = await find_candidates(session, org_id, list(corpus.frequencies))
            near = await find_neighbours(session, org_id, vector)
            by_words = sorted(candidates, key=lambda found: (-bm25(found, corpus), found.skill_id))
            scores = fuse([found.skill_id for found in by_words], list(near))
            details = await describe(session, org_id, list(scores))
        words = {found.skill_id: coverage(found, corpus) for found in candidates}
        hits = [
            SkillHit(
                name=name,
                ref=f"{namespace}/{name}",
                version=version,
                description=description,
                score=round(scores[skill_id], 4),
                words=round(words.get(skill_id, 0.0), 4),
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
        return (await self._embedder.embed([document.embedded()]))[0]
