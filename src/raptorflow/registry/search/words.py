"""The part of a search that goes by words: which words a query asks for, and who holds them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.registry.search.ranking import Candidate, Corpus, bm25, coverage
from raptorflow.registry.search.repository import find_begun, find_candidates, read_corpus
from raptorflow.registry.search.unfinished import Unfinished


@dataclass(frozen=True)
class Matches:
    """Who holds a query's words.

    Attributes:
        order: skills, the best first.
        coverage: which part of the query's information each holds, 0 to 1.
        all_begun: whether the query is one unfinished word: too little to have a meaning.
    """

    order: Sequence[UUID]
    coverage: dict[UUID, float]
    all_begun: bool = False


async def match_words(session: AsyncSession, org_id: UUID, query: str) -> Matches:
    """Match a query's words as they are."""
    corpus = await read_corpus(session, query)
    return _ranked(await find_candidates(session, org_id, list(corpus.frequencies)), corpus)


async def match_unfinished(session: AsyncSession, org_id: UUID, query: Unfinished) -> Matches:
    """Match a query whose last word may go on.

    Whatever the last word begins counts as one word. When it stands in the index as it is, it counts as a
    word of its own too, so that `ad` ranks `ad` before `address`.
    """
    corpus = await read_corpus(session, query.finished)
    last = (await read_corpus(session, query.begun)).frequencies
    words = dict(corpus.frequencies) | {word: known for word, known in last.items() if known}
    begun = await find_begun(session, org_id, query)
    holding = await find_candidates(session, org_id, list(words), [one.skill_id for one in begun])
    found = {one.skill_id: one for one in holding}
    for one in begun:
        known = found.get(one.skill_id)
        found[one.skill_id] = replace(known, words={**known.words, **one.words}) if known else one
    frequencies = words | {query.term: len(begun)}
    matches = _ranked(list(found.values()), replace(corpus, frequencies=frequencies))
    return replace(matches, all_begun=not words)


def _ranked(candidates: Sequence[Candidate], corpus: Corpus) -> Matches:
    ordered = sorted(candidates, key=lambda found: (-bm25(found, corpus), found.skill_id))
    return Matches(
        [found.skill_id for found in ordered],
        {found.skill_id: coverage(found, corpus) for found in ordered},
    )
