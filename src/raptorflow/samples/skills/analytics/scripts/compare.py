"""Which group is best, by how much, and is that established?"""

# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.0,<3", "pillow>=11,<14"]
# ///

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from chart import Bar, draw_bars
from columns import Column, is_missing, judge_columns, parse_number
from measures import meant
from naming import has_concept, named, plain
from raptorflow_skill import action
from raptorflow_skill.errors import SkillError
from raptorflow_skill.files import out_path
from roles import Roles, find_roles
from significance import (
    Group,
    are_counts,
    blocks_for,
    count_interval,
    count_p_values,
    interval,
    leader_p_values,
    make_group,
)
from table import Table, Tally, open_table, tally_notes
from vocabulary import COST, TOTALS
from wording import answer, caveats, measure_name

CHART = "chart.png"
MOST_COMPARED = 50
MOST_GROUPS = 10_000
FEWEST_ROWS = 4
METHODS = {
    "rows": "95 % bootstrap intervals over rows; permutation test of the leader against each other group, "
    "corrected for all pairs (Westfall-Young maxT, 3,000 shuffles, fixed seed)",
    "counts": "Each group is one number of events: 95 % gamma intervals, and a Poisson test of the leader "
    "against each other group, corrected for all pairs (3,000 draws, fixed seed)",
    "none": "Totals and ratios only: the groups have too few rows for a test",
}
Method = Literal["rows", "counts", "none"]


@dataclass
class Observations:
    """What was read: results and bases by group, and the rows that were not used."""

    results: dict[str, array[float]] = field(default_factory=dict[str, "array[float]"])
    bases: dict[str, array[float]] = field(default_factory=dict[str, "array[float]"])
    tally: Tally = field(default_factory=Tally)
    unusable: int = 0
    totals: int = 0

    def add(self, name: str, result: float, base: float | None) -> None:
        """Take a row in."""
        if name not in self.results:
            self.results[name], self.bases[name] = array("d"), array("d")
        self.results[name].append(result)
        if base is not None:
            self.bases[name].append(base)


@dataclass(frozen=True)
class Ranked:
    """A group with everything that is said about it; without an interval where none can be given."""

    group: Group
    low: float | None
    high: float | None
    p_value: float | None


@dataclass(frozen=True)
class Ranking:
    """The groups, the best first, those with too few rows to be judged last.

    Attributes:
        few: groups with too few rows.
        free: groups without any base.
        left_out: how many smaller groups were not compared.
    """

    entries: list[Ranked]
    method: Method
    few: list[str]
    free: list[str]
    left_out: int


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Compare the groups of `given["file"]`."""
    table = open_table(Path(str(given["file"])))
    columns = judge_columns(table.header, table.sample)
    question = str(given.get("question") or "")
    roles = find_roles(columns, question, chosen(table, columns, given))
    observed = read(table, columns, roles)
    ranking = rank(observed, roles)
    what = measure_name(roles)
    bars = [Bar(entry.group.name, entry.group.score, entry.low, entry.high) for entry in ranking.entries]
    subtitle = "with 95 % intervals" if ranking.method != "none" else "too few rows for intervals"
    draw_bars(out_path(CHART), f"{what[:1].upper()}{what[1:]} by {roles.group}", subtitle, bars)
    misread = tally_notes(observed.tally)
    return {
        "answer": " ".join([answer(ranking.entries, roles, ranking.method, question), *misread]),
        "columns": columns_of(roles),
        "table": [row(entry, roles) for entry in ranking.entries],
        "chart": CHART,
        "method": METHODS[ranking.method],
        "caveats": [*table.notes, *misread, *notes(observed, ranking, roles)],
    }


def chosen(table: Table, columns: Sequence[Column], given: dict[str, Any]) -> dict[str, str | None]:
    """The columns that the caller named, by their exact names.

    Raises:
        SkillError: one is not there, holds no numbers where numbers are needed, or stands for two roles.
    """
    wanted: dict[str, str | None] = {"metric": None, "group_by": None, "cost": None}
    for role in wanted:
        if given.get(role):
            wanted[role] = named_by_caller(table, columns, role, given)
    for role in ("metric", "cost"):
        column = next((column for column in columns if column.name == wanted[role]), None)
        if column and column.kind != "number":
            raise SkillError(
                "not-a-number",
                f"The column {column.name!r} holds no numbers ({column.kind}).",
                f"Name a numeric column as `{role}`.",
            )
    names = [name for name in wanted.values() if name]
    if len(names) != len(set(names)):
        raise SkillError(
            "column-twice", f"One column cannot be two of {', '.join(wanted)}.", "Name different columns."
        )
    return wanted


def named_by_caller(table: Table, columns: Sequence[Column], role: str, given: dict[str, Any]) -> str | None:
    """The column that the caller means: by its name, or for a number by another word for it.

    Raises:
        SkillError: there is no such column.
    """
    name = str(given[role])
    try:
        return table.column(name)
    except SkillError:
        numbers = [column for column in columns if column.kind == "number"]
        synonym = meant(numbers, plain(name), plain(name)) if role == "metric" else None
        synonym = named(numbers, COST) if role == "cost" and has_concept(name, COST) else synonym
        # Who fills arguments by rules may take a group that the question quotes for a column.
        quoted = name in str(given.get("question") or "")
        if synonym or (quoted and any(name in column.values for column in columns)):
            return synonym
        raise


def read(table: Table, columns: Sequence[Column], roles: Roles) -> Observations:
    """Read the columns that matter, row by row.

    Raises:
        SkillError: there are no usable rows, one group, or more groups than anybody can compare.
    """
    group_at, metric_at = table.index(roles.group), table.index(roles.metric)
    base_at = table.index(roles.base) if roles.base else None
    metric_comma = columns[metric_at].decimal_comma
    base_comma = base_at is not None and columns[base_at].decimal_comma
    seen = Observations()
    for cells in table.rows(seen.tally):
        name = " ".join(cells[group_at].split())
        result = parse_number(cells[metric_at], decimal_comma=metric_comma)
        base = parse_number(cells[base_at], decimal_comma=base_comma) if base_at is not None else None
        if name.partition(":")[0].casefold() in TOTALS:
            seen.totals += 1
        elif is_missing(name) or result is None or (base_at is not None and (base is None or base < 0)):
            seen.unusable += 1
        else:
            seen.add(name, result, base)
            if len(seen.results) > MOST_GROUPS:
                raise too_many_groups(roles.group)
    refuse_too_little(seen, roles)
    return seen


def too_many_groups(column: str) -> SkillError:
    """The error for a column that tells rows apart rather than groups."""
    return SkillError(
        "too-many-groups",
        f"The column {column!r} has more than {MOST_GROUPS:,} different values.",
        "Name a column with fewer values as `group_by`.",
    )


def refuse_too_little(seen: Observations, roles: Roles) -> None:
    """Raise when there is nothing to compare."""
    if not seen.results:
        base = f" and {roles.base!r}" if roles.base else ""
        raise SkillError(
            "no-usable-rows",
            f"None of {seen.tally.rows:,} rows has a value in {roles.group!r} and a number in "
            f"{roles.metric!r}{base}.",
            "Name other columns as `group_by`, `metric` and `cost`.",
        )
    if len(seen.results) == 1:
        raise SkillError(
            "one-group",
            f"The column {roles.group!r} has only one value, {next(iter(seen.results))[:80]!r}.",
            "Name another column as `group_by`.",
        )


def rank(observed: Observations, roles: Roles) -> Ranking:
    """The groups, the best first; the largest ones when there are very many."""
    weights = {
        name: sum(observed.bases[name]) if roles.base else float(len(results))
        for name, results in observed.results.items()
    }
    free = [name for name, weight in weights.items() if not weight]
    names = sorted((name for name in weights if weights[name]), key=lambda name: -weights[name])
    if len(names) < 2:
        raise SkillError(
            "no-base", f"Fewer than two groups have any {roles.base}.", "Name another column as `cost`."
        )
    kept = names[:MOST_COMPARED]
    groups = [
        make_group(
            name,
            observed.results[name],
            observed.bases[name] if roles.base else None,
            blocks_for(len(kept)),
        )
        for name in kept
    ]
    direction = 1 if roles.lower_is_better else -1
    groups.sort(key=lambda group: (direction * group.score, group.name))
    entries, method = judge(groups, roles)
    judged = [group for group in groups if group.rows >= FEWEST_ROWS]
    few = [group.name for group in groups if group.rows < FEWEST_ROWS] if len(judged) > 1 else []
    return Ranking(entries, method, few, free, len(names) - len(kept))


def judge(groups: Sequence[Group], roles: Roles) -> tuple[list[Ranked], Method]:
    """The groups with their intervals and p-values; those with too few rows go last."""
    enough = [group for group in groups if group.rows >= FEWEST_ROWS]
    if len(enough) > 1:
        p_values = [None, *leader_p_values(enough)]
        judged = [Ranked(group, *interval(group), p) for group, p in zip(enough, p_values, strict=True)]
        few = [Ranked(group, None, None, None) for group in groups if group.rows < FEWEST_ROWS]
        return judged + few, "rows"
    if roles.base and roles.counts_events and are_counts(groups):
        p_values = [None, *count_p_values(groups)]
        counted = [
            Ranked(group, *count_interval(group), p) for group, p in zip(groups, p_values, strict=True)
        ]
        return counted, "counts"
    return [Ranked(group, None, None, None) for group in groups], "none"


def notes(observed: Observations, ranking: Ranking, roles: Roles) -> list[str]:
    """What was left out, and what a careful reader should know."""
    found: list[str] = []
    if observed.unusable:
        found.append(f"{observed.unusable:,} rows without a usable {roles.group} or number were left out.")
    if observed.totals:
        found.append(f"{observed.totals} rows with totals were left out.")
    if ranking.free:
        found.append(f"Without any {roles.base}, so not compared: {', '.join(ranking.free[:5])}.")
    if ranking.left_out:
        found.append(f"The {MOST_COMPARED} largest groups were compared; {ranking.left_out:,} were not.")
    if ranking.few:
        found.append(f"Too few rows to be judged, so listed last: {', '.join(ranking.few[:5])}.")
    return [*found, *caveats(ranking.entries, roles, ranking.method)]


def columns_of(roles: Roles) -> dict[str, str | None]:
    """How the columns were understood."""
    cost = roles.base if roles.base_is_cost else None
    return {"group": roles.group, "metric": roles.metric, "base": roles.base, "cost": cost}


def row(entry: Ranked, roles: Roles) -> dict[str, Any]:
    """A line of the table."""
    group = entry.group
    base = group.base if roles.base else None
    return {
        "group": group.name,
        "rows": group.rows,
        "total": tidy(group.total),
        "base": tidy(base),
        "score": tidy(group.score),
        "low": tidy(entry.low),
        "high": tidy(entry.high),
        "base_per_result": tidy(base / group.total) if base and group.total > 0 else None,
        "p_value": None if entry.p_value is None else round(entry.p_value, 5),
    }


def tidy(value: float | None) -> float | None:
    """A number without the noise of its last digits."""
    return None if value is None else float(f"{value:.10g}")


if __name__ == "__main__":
    action.run(main)
