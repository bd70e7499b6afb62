"""Which column is the group, which the result, which the cost: by the question, by name, by content. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from columns import Column
from raptorflow_skill.errors import SkillError
from table import column_missing
from vocabulary import (
    ADDITIVE,
    AMOUNTS,
    COST,
    COST_ITSELF,
    EFFICIENCY,
    EVENTS,
    GROUPS,
    HIGHEST,
    IDENTIFIERS,
    LOWEST,
    NO_COLUMN,
    RATES,
    RATIOS,
    RESULTS,
    WORSE_WHEN_HIGHER,
)

MOST_GROUPS = 1000
_SEPARATORS = re.compile(r"[_\-./'’]+")
_COUNT_OF = re.compile(r"\b(number|no|nr) of\b")
_WORDS = re.compile(r"[^\W_]+")
_NAMED_COLUMN = re.compile(
    r"\b(?:by|per|column|columns)\s+(?:column\s+|the\s+)?[\"'`]?([^\W\d_]\w+)", re.IGNORECASE
)


@dataclass(frozen=True)
class Roles:
    """How the columns were understood.

    Attributes:
        base: what the metric is divided by (cost, clicks); None compares the mean of the metric.
        base_is_cost: the base is money that could be spent elsewhere.
        lower_is_better: the group with the lowest score comes first.
        counts_events: the metric counts separate events, such as clicks or orders.
        additive: the sum of the metric means something, as that of ratings does not.
    """

    group: str
    metric: str
    base: str | None
    base_is_cost: bool
    lower_is_better: bool
    counts_events: bool
    additive: bool


def find_roles(columns: Sequence[Column], question: str, given: Mapping[str, str | None]) -> Roles:
    """Decide the roles.

    Args:
        columns: all columns, judged.
        question: the user's, may be empty.
        given: `metric`, `group_by` and `cost`, where the caller has decided: exact names of columns.

    Raises:
        SkillError: there is nothing to compare or nothing to compare by.
    """
    if len(columns) < 2:
        raise SkillError(
            "one-column", f"The file has only one column, {columns[0].name!r}.", "Add a column to compare by."
        )
    asked = plain(question)
    if not given.get("group_by"):
        _refuse_unknown_columns(columns, question)
    numbers = [column for column in columns if column.kind == "number"]
    if not numbers:
        names = ", ".join(f"{column.name} ({column.kind})" for column in columns[:30])
        raise SkillError("no-number", f"No column holds numbers: {names}.", "Add a numeric column.")
    group = given.get("group_by") or _group(columns, asked, given.get("metric"))
    chosen = {given.get("metric"), given.get("cost")}
    numbers = [column for column in numbers if column.name != group]
    measures = [column for column in numbers if not _is_identifier(column) or column.name in chosen]
    metric, base = _measure(measures or numbers, asked, given, columns)
    return Roles(
        group,
        metric,
        base,
        base_is_cost=bool(base) and (base == given.get("cost") or has_concept(str(base), COST)),
        lower_is_better=base is None and _lower_is_better(metric, asked),
        counts_events=_concept(metric) in EVENTS and not has_concept(metric, AMOUNTS),
        additive=_concept(metric) in ADDITIVE,
    )


def _measure(
    numbers: Sequence[Column], asked: str, given: Mapping[str, str | None], columns: Sequence[Column]
) -> tuple[str, str | None]:
    """The metric, and what it is divided by."""
    metric, cost = given.get("metric"), given.get("cost")
    if metric is None and cost is None and (ratio := _asked_ratio(numbers, asked)):
        return ratio
    usable = [column for column in numbers if column.name != metric]
    cost = cost or _named([column for column in usable if not is_rate(column.name)], COST)
    if metric is None and not given.get("cost") and cost and re.search(COST_ITSELF, asked):
        return cost, None
    others = [column for column in numbers if column.name != cost]
    results = [column for column in others if not has_concept(column.name, COST)]
    wanted = metric or _asked(results, asked) or _asked_concept(results, asked)
    found = wanted or _usual_metric(results) or _usual_metric(others)
    if found is None:
        if cost is None or given.get("cost"):
            names = ", ".join(column.name for column in columns[:30])
            raise SkillError(
                "no-number", f"No column holds numbers to compare ({names}).", "Name the column as `metric`."
            )
        return cost, None
    efficiency = not asked or any(word in asked for word in EFFICIENCY)
    if cost and not given.get("cost") and ((wanted and not efficiency) or is_rate(found)):
        cost = None
    return found, cost


def plain(text: str) -> str:
    """Lower case, without accents, words parted by single blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(_SEPARATORS.sub(" ", bare).split())


def is_rate(name: str) -> bool:
    """Whether a column's name says that its values are ratios, which must not be summed up."""
    return "%" in name or "/" in name or _has_word(name, RATES)


def has_concept(name: str, synonyms: Sequence[str]) -> bool:
    """Whether a column's name has one of the words, as a word or the beginning of one."""
    return any(_begins(plain(name), word) for word in synonyms)


def _concept(metric: str) -> str | None:
    """What the metric is, by its name; a rate is none."""
    if is_rate(metric):
        return None
    return next((name for name, words in RESULTS.items() if has_concept(metric, words)), None)


def _group(columns: Sequence[Column], asked: str, metric: str | None) -> str:
    named = [
        column
        for column in columns
        if column.kind in {"category", "text"} and column.distinct > 1 and column.name != metric
    ]
    few = [
        column
        for column in columns
        if column.kind == "number"
        and column.distinct > 1
        and column.name != metric
        and _is_identifier(column)
    ]
    found = _asked(named, asked) or _asked(few, asked) or _asked_group(named, asked)
    if found:
        return found
    usable = [column for column in named if column.kind == "category" and column.distinct <= MOST_GROUPS]
    usable = usable or named or few or _single(columns)
    if not usable:
        names = ", ".join(column.name for column in columns[:30])
        raise SkillError(
            "no-groups",
            f"No column has repeated values to compare by ({names}).",
            "Name the column with the groups as `group_by`; it needs at least two different values.",
        )
    return _named(usable, GROUPS) or min(usable, key=lambda column: column.distinct).name


def _single(columns: Sequence[Column]) -> list[Column]:
    """Columns with one value, to be refused by that value, or else few numbers that may be groups."""
    single = [column for column in columns if column.kind in {"category", "text"} and column.distinct == 1]
    few = [column for column in columns if column.kind == "number" and 1 < column.distinct <= 12]
    return few[:1] if len(few) > 1 else single[:1]


def _asked_group(columns: Sequence[Column], asked: str) -> str | None:
    """The column of the group that the question speaks of, in another language or word than the column's."""
    spoken = [word for word in GROUPS if word != "name" and _begins(asked, word)]
    return _named(columns, spoken)


def _asked_ratio(numbers: Sequence[Column], asked: str) -> tuple[str, str] | None:
    for pattern, metric, bases in RATIOS:
        if re.search(pattern, asked):
            amounts = [column for column in numbers if not is_rate(column.name)]
            top = _named(amounts, RESULTS[metric])
            rest = [column for column in amounts if column.name != top]
            found = [_named(rest, COST if base == "cost" else RESULTS[base]) for base in bases]
            bottom = next((name for name in found if name), None)
            if top and bottom:
                return top, bottom
    return None


def _asked_concept(numbers: Sequence[Column], asked: str) -> str | None:
    """The column of the result that the question speaks of, in another language or word than the column's."""
    for words in RESULTS.values():
        if any(_begins(asked, word) for word in words) and (found := _named(numbers, words)):
            return found
    return None


def _usual_metric(numbers: Sequence[Column]) -> str | None:
    counted = [column for column in numbers if not _is_identifier(column)]
    amounts = [column for column in counted if not is_rate(column.name)]
    for words in RESULTS.values():
        if found := _named(amounts, words):
            return found
    return next((column.name for column in [*amounts, *counted, *numbers]), None)


def _lower_is_better(metric: str, asked: str) -> bool:
    if any(_begins(asked, word) for word in LOWEST):
        return True
    if any(_begins(asked, word) for word in HIGHEST):
        return False
    return has_concept(metric, WORSE_WHEN_HIGHER) and "return on" not in plain(metric)


def _refuse_unknown_columns(columns: Sequence[Column], question: str) -> None:
    """A question that names a column by "by ...", "per ..." or "column ..." means one of these columns.

    Raises:
        SkillError: it names none of them.
    """
    known = {_stem(word) for column in columns for word in _WORDS.findall(plain(column.name))}
    for match in _NAMED_COLUMN.finditer(question):
        word = plain(match.group(1))
        concept = any(_begins(word, synonym) for synonym in _all_words())
        if word not in NO_COLUMN and _stem(word) not in known and not concept:
            raise column_missing(match.group(1), [column.name for column in columns])


@lru_cache(maxsize=1)
def _all_words() -> tuple[str, ...]:
    return (*COST, *(word for words in RESULTS.values() for word in words))


def _asked(columns: Sequence[Column], asked: str) -> str | None:
    """The column whose name the question says, the longest first; plurals count."""
    said = {_stem(word) for word in _WORDS.findall(asked)}
    for column in sorted(columns, key=lambda column: -len(column.name)):
        words = [_stem(word) for word in _WORDS.findall(plain(column.name))]
        if words and all(word in said for word in words):
            return column.name
    return None


def _named(columns: Sequence[Column], words: Sequence[str]) -> str | None:
    """The first column, in the order of the words, whose own name has one of them."""
    for word in words:
        for column in columns:
            if _begins(plain(column.name), word):
                return column.name
    return None


def _begins(text: str, word: str) -> bool:
    """Whether a word of the text begins with `word`; short ones must be the whole word, or its plural."""
    end = r"(?:s|n|en)?\b" if len(word) <= 4 else ""
    return re.search(rf"\b{re.escape(word)}{end}", text) is not None


def _has_word(name: str, words: Sequence[str]) -> bool:
    return any(word in words for word in _WORDS.findall(plain(name)))


def _is_identifier(column: Column) -> bool:
    return _has_word(_COUNT_OF.sub("", plain(column.name)), IDENTIFIERS)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
