"""How search results are ordered: BM25 with weighted fields, fused with vector similarity. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

# Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), usual constants.
K1, B = 1.2, 0.75
# PostgreSQL's position weights: A is the name and tags, B the description, D the body.
FIELD_WEIGHTS = {"A": 4.0, "B": 2.0, "C": 1.0, "D": 1.0}
# Cormack, Clarke & Büttcher (2009): reciprocal rank fusion with the constant they recommend.
RRF = 60.0


@dataclass(frozen=True)
class Candidate:
    """A document that holds some of the query's words.

    Attributes:
        length: its number of words.
        words: for each query word in it, the weight letters of its positions.
    """

    skill_id: UUID
    length: int
    words: Mapping[str, Sequence[str]]


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


def bm25(candidate: Candidate, corpus: Corpus) -> float:
    """BM25F of one candidate: term frequencies are summed over weighted fields before they saturate."""
    norm = K1 * (1 - B + B * candidate.length / max(corpus.mean_length, 1.0))
    score = 0.0
    for word, letters in candidate.words.items():
        frequency = sum(FIELD_WEIGHTS[letter] for letter in letters)
        score += _idf(corpus, word) * frequency * (K1 + 1) / (frequency + norm)
    return score


def coverage(candidate: Candidate, corpus: Corpus) -> float:
    """Which part of the query's information the candidate holds, from 0 to 1."""
    total = sum(_idf(corpus, word) for word in corpus.frequencies)
    return sum(_idf(corpus, word) for word in candidate.words) / total if total else 0.0


def fuse(lexical: Sequence[UUID], semantic: Sequence[UUID]) -> dict[UUID, float]:
    """Reciprocal rank fusion of two orders, scaled so that first in both is 1."""
    best = 2 / (RRF + 1)
    fused: dict[UUID, float] = {}
    for order in (lexical, semantic):
        for rank, skill_id in enumerate(order, 1):
            fused[skill_id] = fused.get(skill_id, 0.0) + 1 / (RRF + rank) / best
    return fused


def _idf(corpus: Corpus, word: str) -> float:
    holding = corpus.frequencies.get(word, 0)
    return math.log(1 + (corpus.documents - holding + 0.5) / (holding + 0.5)) if corpus.documents else 0.0
