"""The queries of hybrid search. PostgreSQL's full text finds candidates; they are scored in `ranking.py`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.registry.embeddings import Vector
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.ranking import Candidate, Corpus
from raptorflow.registry.search.unfinished import Unfinished

CANDIDATES = 200
NEIGHBOURS = 50

_CORPUS = text("""
    with words as (select unnest(tsvector_to_array(to_tsvector('english', :query))) as lexeme)
    select t.documents, t.length, w.lexeme, coalesce(s.documents, 0)
    from search_totals t left join words w on true left join search_terms s on s.lexeme = w.lexeme
""")
# A vector of a long text has thousands of words, and to unnest them all is slow. The index gives no word the
# weight C, so that weight marks the wanted ones, and only they are unnested.
_CANDIDATES = text("""
    with found as (
        select d.skill_id, d.length, d.lexemes from search_documents d
        where d.lexemes @@ array_to_string(
            array(select quote_literal(w) from unnest(:words) w), ' | ')::tsquery
        and (d.org_id = :org_id or d.visibility = 'public')
        order by d.skill_id = any(:first) desc limit :limit)
    select f.skill_id, f.length, wanted.lexeme, cardinality(wanted.positions), head.weights from found f
    cross join lateral unnest(ts_filter(setweight(f.lexemes, 'C', :words), '{c}'))
        as wanted(lexeme, positions, weights)
    left join lateral (
        select lexeme, weights from unnest(ts_filter(f.lexemes, '{a,b}')) where lexeme = any(:words)
    ) head on head.lexeme = wanted.lexeme
""").bindparams(bindparam("words", type_=ARRAY(TEXT)), bindparam("first", type_=ARRAY(Uuid)))
# Stems are of no use to a beginning (`analyti` does not begin `analyt`), so this reads the words themselves:
# of what a list shows of a skill, and of no text that somebody who types would not see.
_BEGUN = text(r"""
    select * from (
        select d.skill_id, d.length, s.name,
            s.name ~ ('(^|-)' || :begun) as named, s.description ~* ('\m' || :begun) as described
        from skills s join search_documents d on d.skill_id = s.id
        where d.org_id = :org_id or d.visibility = 'public') found
    where named or described order by named desc, length(name) limit :limit
""").bindparams(bindparam("begun", type_=TEXT))
_NEIGHBOURS = text("""
    select d.skill_id, 1 - (d.embedding <=> cast(:vector as vector)) from search_documents d
    where d.org_id = :org_id or d.visibility = 'public'
    order by d.embedding <=> cast(:vector as vector) limit :limit
""")
_DETAILS = text("""
    select s.id, s.namespace, s.name, coalesce(v.version, s.latest_version),
        coalesce(v.description, s.description), i.id is not null
    from skills s
    left join installations i on i.skill_id = s.id and i.org_id = :org_id
    left join skill_versions v on v.id = i.version_id
    where s.id = any(:ids)
""")
_FORGET_TERMS = text("""
    update search_terms t set documents = t.documents - 1 from search_documents d
    where d.skill_id = :skill_id and t.lexeme = any(tsvector_to_array(d.lexemes))
""")
_FORGET_TOTALS = text("""
    update search_totals t set documents = t.documents - 1, length = t.length - d.length
    from search_documents d where d.skill_id = :skill_id
""")
_FORGET = text("delete from search_documents where skill_id = :skill_id")
_INDEX = text("""
    insert into search_documents (skill_id, org_id, visibility, lexemes, length, embedding)
    select :skill_id, :org_id, :visibility, v.lexemes,
        (select coalesce(sum(coalesce(array_length(positions, 1), 1)), 0) from unnest(v.lexemes)),
        cast(:vector as vector)
    from (select setweight(to_tsvector('english', :name), 'A')
        || setweight(to_tsvector('english', :description), 'B')
        || setweight(to_tsvector('english', :body), 'D') as lexemes) v
""")
_COUNT_TERMS = text("""
    insert into search_terms (lexeme, documents)
    select unnest(tsvector_to_array(lexemes)), 1 from search_documents where skill_id = :skill_id order by 1
    on conflict (lexeme) do update set documents = search_terms.documents + 1
""")
_COUNT_TOTALS = text("""
    update search_totals t set documents = t.documents + 1, length = t.length + d.length
    from search_documents d where d.skill_id = :skill_id
""")
# One writer of the index at a time: two that touch the same words would wait for each other in a circle.
_LOCK = text("select pg_advisory_xact_lock(7246003)")


async def index_skill(
    session: AsyncSession, skill_id: UUID, owner: tuple[UUID, str], document: SearchText, vector: Vector
) -> None:
    """Replace what is searched of a skill, and keep the corpus' counts right.

    Args:
        session: the publish's transaction.
        skill_id: the skill.
        owner: its organisation and its visibility.
        document: the newest version's texts.
        vector: the texts' vector.
    """
    await session.execute(_LOCK)
    key = {"skill_id": skill_id}
    for statement in (_FORGET_TERMS, _FORGET_TOTALS, _FORGET):
        await session.execute(statement, key)
    values = {"name": document.name, "description": document.description, "body": document.body}
    owned = {"org_id": owner[0], "visibility": owner[1], "vector": str(vector)}
    await session.execute(_INDEX, key | values | owned)
    for statement in (_COUNT_TERMS, _COUNT_TOTALS):
        await session.execute(statement, key)


async def read_corpus(session: AsyncSession, query: str) -> Corpus:
    """The numbers that BM25 needs for a query's words."""
    rows = (await session.execute(_CORPUS, {"query": query})).all()
    documents, length = (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)
    frequencies = {str(row[2]): int(row[3]) for row in rows if row[2] is not None}
    return Corpus(documents, length / max(documents, 1), frequencies)


async def find_candidates(
    session: AsyncSession, org_id: UUID, words: Sequence[str], first: Sequence[UUID] = ()
) -> list[Candidate]:
    """Documents the organisation may see that hold any of the words.

    Args:
        session: the search's transaction.
        org_id: who searches.
        words: stems.
        first: documents that are not left out when there are more than `CANDIDATES`.
    """
    if not words:
        return []
    values = {"words": list(words), "org_id": org_id, "limit": CANDIDATES, "first": list(first)}
    found: dict[UUID, tuple[int, dict[str, Sequence[str]]]] = {}
    for skill_id, length, lexeme, count, head in await session.execute(_CANDIDATES, values):
        letters = [*(head or ())]
        letters += ["D"] * (count - len(letters))
        found.setdefault(skill_id, (length, {}))[1][lexeme] = letters
    return [Candidate(skill_id, length, holding) for skill_id, (length, holding) in found.items()]


async def find_begun(session: AsyncSession, org_id: UUID, query: Unfinished) -> list[Candidate]:
    """Documents the organisation may see in whose name or description a word begins so."""
    values = {"begun": query.begun, "org_id": org_id, "limit": CANDIDATES}
    return [
        Candidate(row.skill_id, row.length, {query.term: ["A"] * row.named + ["B"] * row.described})
        for row in await session.execute(_BEGUN, values)
    ]


async def find_neighbours(session: AsyncSession, org_id: UUID, vector: Vector) -> dict[UUID, float]:
    """The nearest documents by meaning, each with its cosine similarity, the nearest first."""
    values = {"vector": str(vector), "org_id": org_id, "limit": NEIGHBOURS}
    rows = await session.execute(_NEIGHBOURS, values)
    return {skill_id: float(similarity) for skill_id, similarity in rows}


async def describe(session: AsyncSession, org_id: UUID, ids: Sequence[UUID]) -> Sequence[Any]:
    """Id, namespace, name, version, description of skills, and whether they are installed."""
    return (await session.execute(_DETAILS, {"org_id": org_id, "ids": list(ids)})).all()
