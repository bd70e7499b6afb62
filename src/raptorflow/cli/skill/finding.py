"""Finds skills among folders as the registry does among those installed: by words and by meaning, fused.

The words' part counts which part of the question's information a skill's text holds, weighed by how rare each
word is among the skills at hand; the registry's does it in PostgreSQL over all of them.
"""

import re
from collections.abc import Sequence
from uuid import UUID, uuid5

from raptorflow.registry.embeddings import MiniLmEmbedder, Vector
from raptorflow.registry.search.document import SearchText
from raptorflow.registry.search.ranking import Corpus, Found, fuse, weigh
from raptorflow.skills.model import Skill

NAMES = UUID("6f1f5a3a-6d2a-4f2c-9a57-3f0b5a0c8a11")
# From here the agent takes a skill for the right one; the setting `offline_min_score` of the orchestrator.
LEAST = 0.2
LEAST_SIMILAR = 0.3
IN_BODY = 0.4
_WORD = re.compile(r"[a-z0-9]{2,}")
_COMMON = re.compile(
    r"an|and|are|as|at|be|but|by|can|could|do|does|for|from|has|have|how|if|in|is|it|me|my|of|on|or|our|should|so|"
    r"some|that|the|their|them|then|there|these|they|this|to|was|we|what|when|where|which|who|why|will|with|would|"
    r"you|your"
)


class FolderFinder:
    """Ranks skills for a question; vectors are made with the first one."""

    def __init__(self, skills: Sequence[Skill]) -> None:
        self._skills = {uuid5(NAMES, skill.name): skill for skill in skills}
        self._words = {key: _weights(skill) for key, skill in self._skills.items()}
        self._embedder = MiniLmEmbedder()
        self._vectors: dict[UUID, Vector] = {}

    async def find(self, question: str) -> str | None:
        """The skill that an agent would load for a question; None when none fits well enough."""
        if not self._vectors:
            made = await self._embedder.embed(
                [_document(skill).embedded() for skill in self._skills.values()]
            )
            self._vectors = dict(zip(self._skills, made, strict=True))
        shares = self._shares(set(_words(question)))
        similar = await self._similar(question)
        fused = fuse(_ordered(shares), _ordered(similar))
        best = max(fused, key=lambda key: (fused[key], key), default=None)
        if best is None or (shares.get(best, 0.0) < LEAST and similar.get(best, 0.0) < LEAST_SIMILAR):
            return None
        return self._skills[best].name

    def _shares(self, asked: set[str]) -> dict[UUID, float]:
        """Which part of the question's information each skill holds."""
        known = {word: sum(word in words for words in self._words.values()) for word in asked}
        query = weigh(Corpus(len(self._skills), 1.0, known))
        return {
            key: share
            for key, words in self._words.items()
            if (
                share := sum(query.weights[word] * words.get(word, 0.0) for word in asked)
                / (query.total or 1)
            )
        }

    async def _similar(self, question: str) -> dict[UUID, float]:
        vector = (await self._embedder.embed([question]))[0]
        return {
            key: sum(one * other for one, other in zip(vector, mine, strict=True))
            for key, mine in self._vectors.items()
        }


def _ordered(shares: dict[UUID, float]) -> list[Found]:
    ordered = sorted(shares, key=lambda key: (-shares[key], key))
    return [Found(key, shares[key], installed=True) for key in ordered]


def _document(skill: Skill) -> SearchText:
    return SearchText(" ".join((skill.name, *skill.tags)), skill.description, skill.body)


def _weights(skill: Skill) -> dict[str, float]:
    """What each word counts: fully in the name and description, less in the instructions."""
    document = _document(skill)
    body = dict.fromkeys(_words(document.body), IN_BODY)
    return body | dict.fromkeys(_words(f"{document.name} {document.description}"), 1.0)


def _words(text: str) -> list[str]:
    """Words without their commonest endings, so that `campaigns` finds `campaign`."""
    return [_stem(word) for word in _WORD.findall(text.lower()) if not _COMMON.fullmatch(word)]


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
