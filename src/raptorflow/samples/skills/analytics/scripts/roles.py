"""Which column is the group, which the cost, which the result: by the question, by name, by content."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from columns import Column
from raptorflow_skill.errors import SkillError

GROUPS = (
    "campaign", "kampagne", "ad group", "adgroup", "ad set", "channel", "kanal", "source", "medium", "product",
    "produkt", "variant", "variante", "region", "country", "land", "store", "segment", "category", "kategorie",
    "team", "group", "gruppe", "name",
)  # fmt: skip
COSTS = ("spend", "cost", "kosten", "ausgaben", "budget", "coût", "depense", "gasto", "costo", "kost")
RESULTS = (
    "revenue", "umsatz", "conversion value", "value", "sales", "profit", "gewinn", "conversions", "conversion",
    "orders", "bestellungen", "purchases", "leads", "signups", "sign-ups", "installs", "bookings", "score",
    "satisfaction", "clicks", "klicks", "visits", "sessions", "impressions",
)  # fmt: skip
RATES = ("rate", "ctr", "cpc", "cpa", "cpm", "roas", "%", "share", "avg", "average", "per ")
IDENTIFIERS = ("id", "nr", "number", "zip", "plz", "phone", "year", "jahr", "month", "week", "index")
EFFICIENCY = (
    "budget",
    "spend",
    "invest",
    "efficien",
    "roi",
    "roas",
    "cost",
    "money",
    "geld",
    "ausgeben",
    "worth",
)
MOST_GROUPS = 1000
# What follows "by" and "per" without naming a column.
NO_COLUMN = {
    "how", "far", "much", "the", "a", "an", "any", "all", "what", "which", "who", "my", "our", "this", "that",
    "these", "day", "days", "week", "month", "year", "euro", "dollar", "unit", "cent", "percent", "chance", "group",
    "default", "hand", "itself", "each", "row", "rows", "name", "names", "more", "less", "most", "file", "data",
}  # fmt: skip
_NAMED_COLUMN = re.compile(
    r"\b(?:by|per|column|columns)\s+(?:column\s+|the\s+)?[\"'`]?([a-zäöüß_][a-zäöüß0-9_]+)"
)
_WORDS = re.compile(r"[a-zäöüßéèàçñ0-9]+")


@dataclass(frozen=True)
class Roles:
    """How the columns were understood; `cost` is None when there is none."""

    group: str
    metric: str
    cost: str | None


def find_roles(columns: Sequence[Column], question: str, given: Mapping[str, str | None]) -> Roles:
    """Decide the roles.

    Args:
        columns: all columns, judged.
        question: the user's, may be empty.
        given: `metric`, `group_by` and `cost`, where the caller has decided.

    Raises:
        SkillError: there is nothing to compare or nothing to compare by.
    """
    if len(columns) < 2:
        raise SkillError(
            "one-column", f"The file has only one column, {columns[0].name!r}.", "Add a column to compare by."
        )
    refuse_unknown_columns(columns, question)
    numbers = [column for column in columns if column.kind == "number"]
    group = given.get("group_by") or _group(columns, question)
    cost = given.get("cost") or _named(numbers, COSTS)
    metric = given.get("metric") or _metric(
        [column for column in numbers if column.name not in {cost, group}], question
    )
    if metric is None and cost:
        metric, cost = cost, None
    if metric is None:
        names = ", ".join(column.name for column in columns)
        raise SkillError(
            "no-number", f"No column holds numbers to compare ({names}).", "Add a numeric column."
        )
    wants_efficiency = not question or any(word in question.casefold() for word in EFFICIENCY)
    asked_for_metric = bool(given.get("metric")) or (
        question and _asked([_by_name(numbers, metric)], question)
    )
    if cost and not given.get("cost") and asked_for_metric and not wants_efficiency:
        cost = None
    return Roles(group, metric, cost if cost != metric else None)


def refuse_unknown_columns(columns: Sequence[Column], question: str) -> None:
    """A question that names a column by "by ...", "per ..." or "column ..." means one of these columns.

    Raises:
        SkillError: it names none of them.
    """
    known = {_stem(word) for column in columns for word in _WORDS.findall(column.name.casefold())}
    for word in _NAMED_COLUMN.findall(question.casefold()):
        if word not in NO_COLUMN and _stem(word) not in known:
            names = ", ".join(column.name for column in columns)
            raise SkillError("column-missing", f"There is no column {word!r}.", f"The columns are: {names}.")


def _group(columns: Sequence[Column], question: str) -> str:
    usable = [
        column for column in columns if column.kind == "category" and 1 < column.distinct <= MOST_GROUPS
    ]
    usable = usable or [
        column for column in columns if column.kind in {"category", "text"} and column.distinct > 1
    ]
    if not usable:
        few = [column for column in columns if column.kind == "number" and 1 < column.distinct <= 12]
        usable = few[:1]
    if not usable:
        names = ", ".join(column.name for column in columns)
        raise SkillError(
            "no-groups",
            f"No column has repeated values to compare by ({names}).",
            "Name the column with the groups as `group_by`; it needs at least two different values.",
        )
    asked = _asked(usable, question)
    return asked or _named(usable, GROUPS) or min(usable, key=lambda column: column.distinct).name


def _metric(numbers: Sequence[Column], question: str) -> str | None:
    asked = _asked(numbers, question)
    if asked:
        return asked
    counted = [column for column in numbers if not _is_identifier(column.name)]
    summable = [column for column in counted if not any(rate in column.name.casefold() for rate in RATES)]
    found = _named(summable, RESULTS) or _named(counted, RESULTS)
    return found or next((column.name for column in [*summable, *counted, *numbers]), None)


def _asked(columns: Sequence[Column], question: str) -> str | None:
    """The column whose name the question says, the longest first; plurals count."""
    asked = {_stem(word) for word in _WORDS.findall(question.casefold())}
    for column in sorted(columns, key=lambda column: -len(column.name)):
        words = [_stem(word) for word in _WORDS.findall(column.name.casefold())]
        if words and all(word in asked for word in words):
            return column.name
    return None


def _named(columns: Sequence[Column], names: Sequence[str]) -> str | None:
    """The first column, in the order of the names, whose own name has one of them."""
    for name in names:
        for column in columns:
            if re.search(rf"(?<![a-z]){re.escape(name)}", column.name.casefold()):
                return column.name
    return None


def _by_name(columns: Sequence[Column], name: str) -> Column:
    return next((column for column in columns if column.name == name), Column(name, "number", 0, 0))


def _is_identifier(name: str) -> bool:
    words = _WORDS.findall(name.casefold())
    return any(word in IDENTIFIERS for word in words)


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
