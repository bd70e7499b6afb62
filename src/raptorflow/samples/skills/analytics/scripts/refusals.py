"""What a question asks for that the file does not have. Pure.

To answer with another measure would be a wrong answer, however well it is worked out.
"""

import re
from collections.abc import Iterator, Sequence

from columns import Column
from naming import begins, holding, named, plain, stem, stems_of, words_of
from questions import (
    ENDS,
    FILLERS,
    GENERIC,
    MODIFIERS,
    NAMED_COLUMN,
    NO_COLUMN,
    NOUNS,
    PHRASE_OF_MONEY,
    PHRASES,
    PLACES,
    SUPERLATIVE,
)
from raptorflow_skill.errors import SkillError
from table import column_missing, columns_listed
from vocabulary import AMBIGUOUS, COST, GROUP_FAMILIES, MEANT

PHRASE_WORDS = 3
SPOKEN = tuple(word for spoken, _ in MEANT for word in spoken)


def refuse_unknown_columns(columns: Sequence[Column], question: str) -> None:
    """A question that names a column by "by ...", "per ..." or "column ..." means one of these columns.

    Raises:
        SkillError: it names none of them.
    """
    known = {word for column in columns for word in stems_of(column.name)}
    for match in NAMED_COLUMN.finditer(question):
        word = plain(match.group(1))
        measure = any(begins(word, one) for one in (*COST, *SPOKEN))
        if word not in NO_COLUMN and stem(word) not in known and not (measure or _is_group(columns, word)):
            raise column_missing(match.group(1), [column.name for column in columns])


def refuse_unknown_measures(
    numbers: Sequence[Column], columns: Sequence[Column], question: str, group: str
) -> str | None:
    """A question that names a measure means one of the numbers.

    Args:
        numbers: what can be compared.
        columns: all columns.
        question: as it was asked.
        group: the column of the groups.

    Returns:
        The number that the question names in part ("happiness" for "Happiness (1-10)"), if it does.

    Raises:
        SkillError: it names one that is not there, or that holds no numbers.
    """
    asked = _without_names(columns, plain(question))
    for word in _missing_concepts(numbers, columns, asked):
        raise _refusal(columns, group, question, word)
    partly: str | None = None
    for phrase in _phrases(asked, PHRASES):
        found = _partly(numbers, phrase)
        if not (found or _is_known(columns, group, phrase)):
            raise _refusal(columns, group, question, phrase)
        partly = partly or found
    return partly


def no_result(columns: Sequence[Column], cost: str) -> SkillError:
    """The error for a file that says what was spent and not what came of it."""
    return SkillError(
        "no-result",
        f"The file says what was spent ({cost}), but no column holds results such as conversions or revenue, "
        "so it cannot tell which is best or worth more.",
        f"{columns_listed([column.name for column in columns])} Add one with results, or name it as "
        "`metric`.",
    )


def no_ratio(columns: Sequence[Column], wanted: str, needed: Sequence[str]) -> SkillError:
    """The error for a ratio that is asked for and can neither be read nor worked out."""
    return SkillError(
        "column-missing",
        f"There is no column {wanted!r}, and no {' or '.join(needed)} to work it out from.",
        columns_listed([column.name for column in columns]),
    )


def missing(columns: Sequence[Column], question: str, wanted: str) -> SkillError:
    """The error for a column that is not there, named as the question names it."""
    return column_missing(as_written(question, wanted), [column.name for column in columns])


def _refusal(columns: Sequence[Column], group: str, question: str, wanted: str) -> SkillError:
    """The error for a measure that is not there, or is there and holds no numbers."""
    stems = set(stems_of(wanted))
    for column in columns:
        if column.kind != "number" and column.name != group and stems & set(stems_of(column.name)):
            return SkillError(
                "not-a-number",
                f"The column {column.name!r} holds no numbers ({column.kind}).",
                columns_listed([column.name for column in columns]),
            )
    noun = next((noun for verb, noun in NOUNS.items() if wanted.startswith(verb)), None)
    names = [column.name for column in columns]
    return column_missing(noun, names) if noun else missing(columns, question, wanted)


def _without_names(columns: Sequence[Column], asked: str) -> str:
    """The question without the values of groups that it names: a department of Sales is no measure."""
    asked = PHRASE_OF_MONEY.sub(" ", asked)
    values = {plain(value) for column in columns if column.kind != "number" for value in column.values}
    names = {plain(column.name) for column in columns}
    for value in sorted(values - names, key=len, reverse=True):
        if len(value) > 1 and value in asked:
            asked = re.sub(rf"\b{re.escape(value)}\b", " ", asked)
    return " ".join(asked.split())


def _missing_concepts(numbers: Sequence[Column], columns: Sequence[Column], asked: str) -> Iterator[str]:
    """The words for well-known measures that the question says and no number holds."""
    places = list(_phrases(asked, PLACES))
    groups = {word for column in columns if column.kind != "number" for word in stems_of(column.name)}
    words = stems_of(asked)
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        following = words[place + 1] if place + 1 < len(words) else ""
        if following in groups and not SUPERLATIVE.fullmatch(before) and word not in groups:
            # "Which sales rep": a kind of group, unlike "the highest sales rep".
            continue
        for spoken in _spoken(word, following):
            placed = any(begins(phrase, spoken) for phrase in places)
            wanted = [holders for said, holders in MEANT if spoken in said]
            held = any(holding(numbers, holders) for holders in wanted)
            if not held and (placed or spoken not in AMBIGUOUS) and not _says_number(numbers, word):
                yield word


def _spoken(word: str, following: str) -> list[str]:
    """The well-known measures that a word, or it and the next, speaks of: the longest alone."""
    pair = f"{word} {following}"
    double = [one for one in SPOKEN if " " in one and begins(pair, one)]
    return double or [
        one for one in SPOKEN if " " not in one and (begins(word, one) or begins(f"{word}s", one))
    ]


def _says_number(numbers: Sequence[Column], word: str) -> bool:
    """Whether a number's own name has the word, and no rate of it."""
    return holding(numbers, [word]) is not None


def measure_places(question: str) -> str:
    """All that stands where a measure stands."""
    return " ".join(_phrases(plain(question), PLACES))


def _phrases(asked: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[str]:
    """What stands where a measure stands, without what only leads up to it."""
    for pattern in patterns:
        for match in pattern.finditer(asked):
            phrase = FILLERS.sub("", match["phrase"])
            phrase = FILLERS.sub("", ENDS.split(phrase, maxsplit=1)[0])
            words = words_of(phrase)[:PHRASE_WORDS]
            if words:
                yield " ".join(words)


def _partly(numbers: Sequence[Column], phrase: str) -> str | None:
    """The number whose name shares the most words with the phrase, apart from those that only modify."""
    said = {word for word in stems_of(phrase) if word not in MODIFIERS}
    shared = {column.name: len(said & set(stems_of(column.name))) for column in numbers}
    best = max(shared, key=lambda name: shared[name], default=None)
    return best if best and shared[best] else None


def _is_known(columns: Sequence[Column], group: str, phrase: str) -> bool:
    """Whether the phrase asks for nothing in particular, for groups, or for a well-known measure."""
    words = [word for word in words_of(phrase) if word not in MODIFIERS]
    if not words or any(word in GENERIC or word.isdigit() for word in words):
        return True
    known = {word for column in columns if column.kind == "number" for word in stems_of(column.name)}
    known |= set(stems_of(group))
    head = words[-1]
    if stem(head) in known or head in NO_COLUMN or _is_group(columns, head) or _names_group(head):
        return True
    # Those that are not there were refused before.
    return any(begins(word, one) for word in words for one in (*COST, *SPOKEN))


def _names_group(word: str) -> bool:
    return any(begins(word, one) for family in GROUP_FAMILIES for one in family)


def _is_group(columns: Sequence[Column], word: str) -> bool:
    """Whether a column is the group that the word says, in that language or another."""
    return any(
        named(columns, family) for family in GROUP_FAMILIES if any(begins(word, one) for one in family)
    )


def as_written(question: str, wanted: str) -> str:
    """The words as the question writes them."""
    first, last = wanted.split()[0], wanted.split()[-1]
    written = words_of(question)
    forms = [plain(word) for word in written]
    for start, form in enumerate(forms):
        if first in {form, stem(form)}:
            for end in range(start, min(start + PHRASE_WORDS, len(forms))):
                if last in {forms[end], stem(forms[end])}:
                    return " ".join(written[start : end + 1])
    return wanted
