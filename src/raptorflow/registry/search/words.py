"""The part of a search that goes by words: which words a query asks for, and who holds them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.registry.search.ranking import Begun, Found, Query, weigh
from raptorflow.registry.search.repository import find_begun, find_matches, read_corpus
from raptorflow.registry.search.unfinished import Unfinished


@dataclass(frozen=True)
class Matches:
    """Who holds a query's words.

    Attributes:
        found: skills, the best first.
        all_begun: whether the query is one unfinished word: too little to have a meaning.
    """

    found: Sequence[Found]
    all_begun: bool = False


async def match_words(session: AsyncSession, org_id: UUID, query: str) -> Matches:
    """Match a query's words as they are."""
    return await _match(session, org_id, weigh(await read_corpus(session, query)))


async def match_unfinished(session: AsyncSession, org_id: UUID, query: Unfinished) -> Matches:
    """Match a query whose last word may go on.

    Whatever the last word begins counts as one word. When it stands in the index as it is, it counts as a
    word of its own too, so that `ad` ranks `ad` before `address`.
    """
    corpus = await read_corpus(session, query.finished)
    last = (await read_corpus(session, query.begun)).frequencies
    words = dict(corpus.frequencies) | {word: known for word, known in last.items() if known}
    begun = await find_begun(session, org_id, query.begun)
    weighed = weigh(replace(corpus, frequencies=words), len(begun))
    return replace(await _match(session, org_id, weighed, begun), all_begun=not words)


async def _match(session: AsyncSession, org_id: UUID, query: Query, begun: Sequence[Begun] = ()) -> Matches:
    if not query.total:
        return Matches([])
    return Matches(await find_matches(session, org_id, query, begun))
