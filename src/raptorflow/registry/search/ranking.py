"""How search results are ordered: BM25 with weighted fields, fused with vector similarity. Pure.

The sum itself is `_MATCHES` in `repository.py`: only the database can score all that matches.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

# Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), usual constants.
K1, B = 1.2, 0.75
# BM25F: what a word in each field counts, before frequencies saturate. A is the name and tags, B the
# description, D the body. The index holds them added up: after a change, skills have to be published anew.
FIELD_WEIGHTS = {"A": 4.0, "B": 2.0, "D": 1.0}
# Cormack, Clarke & Büttcher (2009): reciprocal rank fusion with the constant they recommend.
RRF = 60.0


@dataclass(frozen=True)
class Corpus:
    """Numbers of all documents.

    Attributes:
        documents: how many there are.
        mean_length: of a document, in words.
        frequencies: in how many documents each query word stands.
    """

    documents: int
    mean_length: float
    frequencies: Mapping[str, int]


@dataclass(frozen=True)
class Begun:
    """A document with a word that begins as the unfinished one does.

    Attributes:
        length: its number of words.
        frequency: how often that word stands there, weighted by field.
    """

    skill_id: UUID
    length: int
    frequency: float


@dataclass(frozen=True)
class Found:
    """A document that fits.

    Attributes:
        share: the part of the query's information that it holds, or the similarity of the meaning, 0 to 1.
        installed: whether the organisation that searches has it installed.
    """

    skill_id: UUID
    share: float
    installed: bool


@dataclass(frozen=True)
class Query:
    """What is searched, weighed.

    Attributes:
        weights: each word's inverse document frequency.
        begun_weight: the same of all that the unfinished word may be.
        mean_length: of a document, in words.
    """

    weights: Mapping[str, float]
    begun_weight: float
    mean_length: float

    @property
    def total(self) -> float:
        """All the information that the query asks for."""
        return sum(self.weights.values()) + self.begun_weight


def weigh(corpus: Corpus, begun: int = 0) -> Query:
    """The query's words by inverse document frequency.

    Args:
        corpus: the numbers of all documents, and the words.
        begun: in how many documents the unfinished word begins a word.
    """
    weights = {word: _idf(corpus.documents, holding) for word, holding in corpus.frequencies.items()}
    begun_weight = _idf(corpus.documents, begun) if begun else 0.0
    return Query(weights, begun_weight, max(corpus.mean_length, 1.0))


def fuse(lexical: Sequence[Found], semantic: Sequence[Found]) -> dict[UUID, float]:
    """Reciprocal rank fusion of two orders, scaled so that first in both is 1."""
    best = 2 / (RRF + 1)
    fused: dict[UUID, float] = {}
    for order in (lexical, semantic):
        for rank, one in enumerate(order, 1):
            fused[one.skill_id] = fused.get(one.skill_id, 0.0) + 1 / (RRF + rank) / best
    return fused


def _idf(documents: int, holding: int) -> float:
    return math.log(1 + (documents - holding + 0.5) / (holding + 0.5)) if documents else 0.0
