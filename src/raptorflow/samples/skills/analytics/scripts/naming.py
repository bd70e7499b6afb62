"""Which column a word means. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from columns import Column
from vocabulary import AMOUNTS, AVERAGES, COMPOUNDS, COST, EVENTS, IDENTIFIERS, RATES, RESULTS

WHOLE = 4
"""Words of at most so many letters must be the whole word, or its plural."""
_SEPARATORS = re.compile("[_\\-./'\u2019]+")
_COUNT_OF = re.compile(r"\b(number|no|nr) of\b")
_WORDS = re.compile(r"[^\W_]+")
_UNIT = re.compile(r"[(\[][^)\]]*[)\]]")
RATIOS = tuple(word for word in RATES if word not in AVERAGES)
"""An average of a thing is still that thing; a ratio of it is another."""


def plain(text: str) -> str:
    """Lower case, without accents, words parted by single blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(_SEPARATORS.sub(" ", bare).split())


def words_of(text: str) -> list[str]:
    """The words of a text, as they stand there."""
    return _WORDS.findall(text)


def stems_of(text: str) -> list[str]:
    """The words of a text, plain and without the s of the plural."""
    return [stem(word) for word in _WORDS.findall(plain(text))]


def stem(word: str) -> str:
    """A word without the s of the plural."""
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


@lru_cache(maxsize=1024)
def _beginning(word: str) -> re.Pattern[str]:
    end = r"(?:s|n|en)?\b" if len(word) <= WHOLE else ""
    start = r"\b\w*" if word in COMPOUNDS else r"\b"
    return re.compile(rf"{start}{re.escape(word)}{end}")


def begins(text: str, word: str) -> bool:
    """Whether a word of the text begins with `word`; short ones must be the whole word, or its plural."""
    return word in text and _beginning(word).search(text) is not None


def has_concept(name: str, synonyms: Sequence[str]) -> bool:
    """Whether a column's name has one of the words, as a word or the beginning of one."""
    own = plain(name)
    return any(begins(own, word) for word in synonyms)


def is_rate(name: str) -> bool:
    """Whether a column's name says that its values are ratios, which must not be summed up."""
    return _is_divided(name, RATES)


def is_identifier(column: Column) -> bool:
    """Whether a column tells rows apart: its numbers measure nothing."""
    return has_word(_COUNT_OF.sub("", plain(_UNIT.sub("", column.name))), IDENTIFIERS)


def has_word(name: str, words: Sequence[str]) -> bool:
    """Whether one of the words stands in a name, whole."""
    return any(word in words for word in _WORDS.findall(plain(name)))


def concept_of(metric: str) -> str | None:
    """What the metric is, by its name; a rate is none."""
    if is_rate(metric):
        return None
    return next((name for name, words in RESULTS.items() if has_concept(metric, words)), None)


def is_measure(name: str) -> bool:
    """Whether a column's name is that of a well-known measure, a cost or a result."""
    return has_concept(name, COST) or any(has_concept(name, words) for words in RESULTS.values())


def counts_events(metric: str) -> bool:
    """Whether a column's name says that it counts separate events."""
    return concept_of(metric) in EVENTS and not has_concept(metric, AMOUNTS)


def said(columns: Sequence[Column], asked: str) -> str | None:
    """The column whose name the question says, the longest first; plurals count."""
    stems = set(stems_of(asked))
    for column in sorted(columns, key=lambda column: -len(column.name)):
        words = stems_of(column.name)
        if words and all(word in stems for word in words):
            return column.name
    return None


def holding(columns: Sequence[Column], words: Sequence[str]) -> str | None:
    """The first column that is what the words say: no rate of it, and for events not their value either."""
    events = any(words[0] in RESULTS[concept] for concept in EVENTS)
    fitting = [column for column in columns if not (events and has_concept(column.name, AMOUNTS))]
    return named([column for column in fitting if not _is_divided(column.name, RATIOS)], words)


def _is_divided(name: str, words: Sequence[str]) -> bool:
    # EUR/month in brackets is a unit, and divides nothing; a percentage is a ratio wherever it says so.
    bare = _UNIT.sub("", name)
    return "%" in name or "/" in bare or has_word(bare, words)


def named(columns: Sequence[Column], words: Sequence[str]) -> str | None:
    """The first column, in the order of the words, whose own name has one of them."""
    for word in words:
        for column in columns:
            if begins(plain(column.name), word):
                return column.name
    return None
