"""The queries of hybrid search: words in an inverted index, scored by BM25; meaning by vectors."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, DOUBLE_PRECISION, INTEGER, TEXT
from sqlalchemy.ext.asyncio import AsyncSession

from raptorflow.registry.embeddings import Vector
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.ranking import FIELD_WEIGHTS, K1, B, Begun, Corpus, Found, Query

INSTALLED, OTHERS = 100, 50
"""Skills that a search looks at: of those installed, and of those that may be suggested."""

_CORPUS = text("""
    with words as (select unnest(tsvector_to_array(to_tsvector('english', :query))) as lexeme)
    select t.documents, t.length, w.lexeme, coalesce(s.documents, 0)
    from search_totals t left join words w on true left join search_terms s on s.lexeme = w.lexeme
""")
# BM25 (see ranking.py) of every document with a word: an order of what is left out would have to be the same.
# What is installed is looked at apart, so that no number of other skills can push it out.
_MATCHES = text("""
    with terms as (select * from unnest(:words, :weights) as t(lexeme, weight)),
    hits as (
        select p.skill_id, p.length, p.frequency, t.weight
        from terms t join search_postings p on p.lexeme = t.lexeme
        where p.org_id = :org_id or p.visibility = 'public'
        union all
        select b.skill_id, b.length, b.frequency, :begun_weight
        from unnest(:begun_ids, :begun_lengths, :begun_frequencies) as b(skill_id, length, frequency)),
    scored as (
        select skill_id, sum(weight) as held,
            sum(weight * frequency * (:k1 + 1) / (frequency + :k1 * (1 - :b + :b * length / :mean))) as score
        from hits group by skill_id),
    known as (
        select s.skill_id, s.held, s.score, i.id is not null as installed
        from scored s left join installations i on i.skill_id = s.skill_id and i.org_id = :org_id)
    select skill_id, held, installed from (
        (select * from known where installed order by score desc, skill_id limit :installed)
        union all (select * from known where not installed order by score desc, skill_id limit :others)
    ) best order by score desc, skill_id
""").bindparams(
    bindparam("words", type_=ARRAY(TEXT)),
    bindparam("weights", type_=ARRAY(DOUBLE_PRECISION)),
    bindparam("begun_ids", type_=ARRAY(Uuid)),
    bindparam("begun_lengths", type_=ARRAY(INTEGER)),
    bindparam("begun_frequencies", type_=ARRAY(DOUBLE_PRECISION)),
    bindparam("begun_weight", type_=DOUBLE_PRECISION),
    bindparam("k1", type_=DOUBLE_PRECISION),
    bindparam("b", type_=DOUBLE_PRECISION),
    bindparam("mean", type_=DOUBLE_PRECISION),
)
# Stems are of no use to a beginning (`analyti` does not begin `analyt`), so this reads the words themselves:
# of what a list shows of a skill, and of no text that somebody who types would not see.
_BEGUN = text(r"""
    select * from (
        select d.skill_id, d.length, s.name,
            s.name ~ ('(^|-)' || :begun) as named, s.description ~* ('\m' || :begun) as described,
            i.id is not null as installed
        from skills s join search_documents d on d.skill_id = s.id
        left join installations i on i.skill_id = s.id and i.org_id = :org_id
        where d.org_id = :org_id or d.visibility = 'public') found
    where named or described order by installed desc, named desc, length(name), skill_id limit :limit
""").bindparams(bindparam("begun", type_=TEXT))
# What is installed is compared one by one, and so never missed. The rest goes by the index, which finds the
# nearest of all organisations: it has to go on until enough of them may be seen.
_INSTALLED_NEIGHBOURS = text("""
    with mine as materialized (
        select d.skill_id, d.embedding from installations i join search_documents d on d.skill_id = i.skill_id
        where i.org_id = :org_id and (d.org_id = :org_id or d.visibility = 'public'))
    select skill_id, 1 - (embedding <=> cast(:vector as vector)) as similarity from mine
    order by similarity desc, skill_id limit :limit
""")
_GO_ON = text("select set_config('hnsw.iterative_scan', 'strict_order', true)")
_OTHER_NEIGHBOURS = text("""
    select d.skill_id, 1 - (d.embedding <=> cast(:vector as vector)) from search_documents d
    where (d.org_id = :org_id or d.visibility = 'public') and not exists (
        select from installations i where i.skill_id = d.skill_id and i.org_id = :org_id)
    order by d.embedding <=> cast(:vector as vector) limit :limit
""")
_DETAILS = text("""
    select s.id, s.namespace, s.name, coalesce(v.version, s.latest_version),
        coalesce(v.description, s.description)
    from skills s
    left join installations i on i.skill_id = s.id and i.org_id = :org_id
    left join skill_versions v on v.id = i.version_id
    where s.id = any(:ids)
""")
_FORGET_TERMS = text("""
    update search_terms t set documents = t.documents - 1 from search_postings p
    where p.skill_id = :skill_id and t.lexeme = p.lexeme
""")
_FORGET_TOTALS = text("""
    update search_totals t set documents = t.documents - 1, length = t.length - d.length
    from search_documents d where d.skill_id = :skill_id
""")
_FORGET = text("delete from search_documents where skill_id = :skill_id")
# PostgreSQL's position weights: A is the name and tags, B the description, D the body.
_INDEX = text("""
    with words as (
        select u.lexeme, u.positions, u.weights from unnest(
            setweight(to_tsvector('english', :name), 'A')
            || setweight(to_tsvector('english', :description), 'B')
            || setweight(to_tsvector('english', :body), 'D')) u),
    document as (
        insert into search_documents (skill_id, org_id, visibility, length, embedding)
        select :skill_id, :org_id, :visibility,
            coalesce(sum(cardinality(positions)), 0), cast(:vector as vector)
        from words returning skill_id, org_id, visibility, length)
    insert into search_postings (lexeme, skill_id, org_id, visibility, length, frequency)
    select w.lexeme, d.skill_id, d.org_id, d.visibility, d.length, (
        select sum(case letter when 'A' then :a when 'B' then :b else :d end) from unnest(w.weights) letter)
    from words w cross join document d
""").bindparams(*(bindparam(name, type_=DOUBLE_PRECISION) for name in "abd"))
_COUNT_TERMS = text("""
    insert into search_terms (lexeme, documents)
    select lexeme, 1 from search_postings where skill_id = :skill_id order by 1
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
    weights = {name.lower(): weight for name, weight in FIELD_WEIGHTS.items()}
    await session.execute(_INDEX, key | values | owned | weights)
    for statement in (_COUNT_TERMS, _COUNT_TOTALS):
        await session.execute(statement, key)


async def read_corpus(session: AsyncSession, query: str) -> Corpus:
    """The numbers that BM25 needs for a query's words."""
    rows = (await session.execute(_CORPUS, {"query": query})).all()
    documents, length = (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)
    frequencies = {str(row[2]): int(row[3]) for row in rows if row[2] is not None}
    return Corpus(documents, length / max(documents, 1), frequencies)


async def find_matches(
    session: AsyncSession, org_id: UUID, query: Query, begun: Sequence[Begun] = ()
) -> list[Found]:
    """Documents the organisation may see that hold any of the words.

    Args:
        session: the search's transaction.
        org_id: who searches.
        query: the words and what they weigh.
        begun: documents that hold the query's unfinished word.

    Returns:
        The best of those installed and the best of the others, the best first, each with the share of the
        query's information that it holds.
    """
    values = {
        "org_id": org_id,
        "words": list(query.weights),
        "weights": list(query.weights.values()),
        "begun_ids": [one.skill_id for one in begun],
        "begun_lengths": [one.length for one in begun],
        "begun_frequencies": [one.frequency for one in begun],
        "begun_weight": query.begun_weight,
        "mean": query.mean_length,
        "k1": K1,
        "b": B,
        "installed": INSTALLED,
        "others": OTHERS,
    }
    rows = await session.execute(_MATCHES, values)
    return [Found(skill_id, float(held) / query.total, installed) for skill_id, held, installed in rows]


async def find_begun(session: AsyncSession, org_id: UUID, begun: str) -> list[Begun]:
    """Documents the organisation may see in whose name or description a word begins so."""
    values = {"begun": begun, "org_id": org_id, "limit": INSTALLED + OTHERS}
    weights = {"named": FIELD_WEIGHTS["A"], "described": FIELD_WEIGHTS["B"]}
    return [
        Begun(row.skill_id, row.length, sum(weight for at, weight in weights.items() if getattr(row, at)))
        for row in await session.execute(_BEGUN, values)
    ]


async def find_neighbours(session: AsyncSession, org_id: UUID, vector: Vector) -> list[Found]:
    """The nearest installed documents and the nearest others by cosine similarity, the nearest first."""
    values = {"vector": str(vector), "org_id": org_id}
    mine = await session.execute(_INSTALLED_NEIGHBOURS, values | {"limit": INSTALLED})
    near = [Found(skill_id, float(similarity), installed=True) for skill_id, similarity in mine]
    await session.execute(_GO_ON)
    others = await session.execute(_OTHER_NEIGHBOURS, values | {"limit": OTHERS})
    near += [Found(skill_id, float(similarity), installed=False) for skill_id, similarity in others]
    return sorted(near, key=lambda one: (-one.share, one.skill_id))


async def describe(session: AsyncSession, org_id: UUID, ids: Sequence[UUID]) -> Sequence[Any]:
    """Id, namespace, name, version and description of skills."""
    return (await session.execute(_DETAILS, {"org_id": org_id, "ids": list(ids)})).all()
