"""Which column is the group, which the result, which the cost: by the question, by name, by content. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from columns import Column
from measures import Choice, find_measure
from naming import (
    begins,
    concept_of,
    counts_events,
    has_concept,
    is_identifier,
    is_measure,
    named,
    plain,
    said,
)
from questions import HIGHEST, LOWEST
from raptorflow_skill.errors import SkillError
from refusals import refuse_unknown_columns
from vocabulary import ADDITIVE, COST, GROUP_FAMILIES, GROUPS, WORSE_WHEN_HIGHER

MOST_GROUPS = 1000
MOST_ASKED = 2000
"""Characters of a question that are read."""


@dataclass(frozen=True)
class Roles:
    """How the columns were understood.

    Attributes:
        base: what the metric is divided by (cost, clicks); None compares the mean of the metric.
        base_is_cost: the base is money that could be spent elsewhere.
        lower_is_better: the group with the lowest score comes first.
        counts_events: the metric counts separate events, such as clicks or orders.
        additive: the sum of the metric means something, as that of ratings does not.
        cost_missing: the question is about money, and no column says what was spent.
    """

    group: str
    metric: str
    base: str | None
    base_is_cost: bool
    lower_is_better: bool
    counts_events: bool
    additive: bool
    cost_missing: bool = False


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
    question = question[:MOST_ASKED]
    asked = plain(question)
    if not given.get("group_by"):
        refuse_unknown_columns(columns, question)
    numbers = [column for column in columns if column.kind == "number"]
    if not numbers:
        names = ", ".join(f"{column.name} ({column.kind})" for column in columns[:30])
        raise SkillError("no-number", f"No column holds numbers: {names}.", "Add a numeric column.")
    group = given.get("group_by") or _group(columns, asked, given.get("metric"))
    chosen = {given.get("metric"), given.get("cost")}
    numbers = [column for column in numbers if column.name != group]
    measures = [column for column in numbers if not is_identifier(column) or column.name in chosen]
    measure = find_measure(Choice(measures or numbers, columns, group, question, given))
    metric, base = measure.metric, measure.base
    return Roles(
        group,
        metric,
        base,
        base_is_cost=bool(base) and (base == given.get("cost") or has_concept(str(base), COST)),
        lower_is_better=base is None and _lower_is_better(metric, asked),
        counts_events=counts_events(metric),
        additive=concept_of(metric) in ADDITIVE,
        cost_missing=measure.cost_missing,
    )


def _group(columns: Sequence[Column], asked: str, metric: str | None) -> str:
    texts = [
        column
        for column in columns
        if column.kind in {"category", "text"} and column.distinct > 1 and column.name != metric
    ]
    few = [
        column
        for column in columns
        if column.kind == "number" and column.distinct > 1 and column.name != metric and is_identifier(column)
    ]
    # A number that was read as text is no group because the question asks for it.
    groups = [column for column in texts if not is_measure(column.name)]
    found = said(groups, asked) or said(texts, asked) or said(few, asked) or _asked_group(texts, asked)
    if found:
        return found
    usable = [column for column in texts if column.kind == "category" and column.distinct <= MOST_GROUPS]
    usable = usable or texts or few or _single(columns)
    if not usable:
        names = ", ".join(column.name for column in columns[:30])
        raise SkillError(
            "no-groups",
            f"No column has repeated values to compare by ({names}).",
            "Name the column with the groups as `group_by`; it needs at least two different values.",
        )
    return named(usable, GROUPS) or min(usable, key=lambda column: column.distinct).name


def _single(columns: Sequence[Column]) -> list[Column]:
    """Columns with one value, to be refused by that value, or else few numbers that may be groups."""
    single = [column for column in columns if column.kind in {"category", "text"} and column.distinct == 1]
    few = [column for column in columns if column.kind == "number" and 1 < column.distinct <= 12]
    return few[:1] if len(few) > 1 else single[:1]


def _asked_group(columns: Sequence[Column], asked: str) -> str | None:
    """The column of the group that the question speaks of, in another language or word than the column's."""
    for family in GROUP_FAMILIES:
        spoken = family != ("name",) and any(begins(asked, word) for word in family)
        if spoken and (found := named(columns, family)):
            return found
    return None


def _lower_is_better(metric: str, asked: str) -> bool:
    if any(begins(asked, word) for word in LOWEST):
        return True
    if any(begins(asked, word) for word in HIGHEST):
        return False
    return has_concept(metric, WORSE_WHEN_HIGHER) and "return on" not in plain(metric)
