"""Which group is best, by how much, and is that established?"""

# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.0,<3", "pillow>=11,<13"]
# ///

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chart import Bar, draw_bars
from columns import Column, is_missing, judge, parse_number
from raptorflow_skill import action
from raptorflow_skill.errors import SkillError
from raptorflow_skill.files import out_path
from roles import Roles, find_roles
from statistics_of import Group, holm, interval, make_group, permutation_p
from table import Table, open_table

CHART = "chart.png"
SIGNIFICANT = 0.05
MOST_COMPARED = 50
FEWEST_ROWS = 5


@dataclass(frozen=True)
class Observations:
    """What was read: results and costs by group, and the rows that could not be used."""

    results: dict[str, list[float]]
    costs: dict[str, list[float]]
    unusable: int


@dataclass(frozen=True)
class Ranked:
    """A group with everything that is said about it."""

    group: Group
    low: float
    high: float
    p_value: float | None


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Compare the groups of `given["file"]`."""
    table = open_table(Path(given["file"]))
    columns = judge_columns(table)
    for name in ("metric", "group_by", "cost"):
        if given.get(name):
            given[name] = table.header[table.index(given[name])]
    roles = find_roles(columns, given.get("question") or "", given)
    observed = read(table, columns, roles)
    ranked = rank(observed, with_cost=roles.cost is not None)
    notes = [*table.notes, *caveats(ranked, observed, roles)]
    what = f"{roles.metric} per {roles.cost}" if roles.cost else f"mean {roles.metric}"
    bars = [Bar(entry.group.name, entry.group.score, entry.low, entry.high) for entry in ranked]
    draw_bars(out_path(CHART), f"{capital(what)} by {roles.group}", "with 95 % bootstrap intervals", bars)
    return {
        "answer": answer(ranked, roles, what),
        "columns": {"group": roles.group, "metric": roles.metric, "cost": roles.cost},
        "table": [row(entry, with_cost=roles.cost is not None) for entry in ranked],
        "chart": CHART,
        "method": "95 % bootstrap intervals; permutation tests of the leader against each other group, "
        "Holm-corrected; fixed seed",
        "caveats": notes,
    }


def judge_columns(table: Table) -> list[Column]:
    """Every column, judged by the sample."""
    return [judge(name, [row[place] for row in table.sample]) for place, name in enumerate(table.header)]


def read(table: Table, columns: Sequence[Column], roles: Roles) -> Observations:
    """Read the columns that matter, row by row."""
    group_at, metric_at = table.index(roles.group), table.index(roles.metric)
    cost_at = table.index(roles.cost) if roles.cost else None
    seen = Observations({}, {}, 0)
    unusable = 0
    for cells in table.rows():
        name = " ".join(cells[group_at].split())
        result = parse_number(cells[metric_at], decimal_comma=columns[metric_at].decimal_comma)
        cost = 1.0
        if cost_at is not None:
            cost = parse_number(cells[cost_at], decimal_comma=columns[cost_at].decimal_comma)
        if is_missing(name) or result is None or cost is None or cost < 0:
            unusable += 1
            continue
        seen.results.setdefault(name, []).append(result)
        seen.costs.setdefault(name, []).append(cost)
    if not seen.results:
        raise SkillError(
            "no-usable-rows",
            f"No row has a value in {roles.group!r} and a number in {roles.metric!r}.",
            "Name other columns as `group_by`, `metric` and `cost`.",
        )
    if len(seen.results) == 1:
        raise SkillError(
            "one-group",
            f"The column {roles.group!r} has only one value, {next(iter(seen.results))!r}.",
            "Name another column as `group_by`.",
        )
    return Observations(seen.results, seen.costs, unusable)


def rank(observed: Observations, *, with_cost: bool) -> list[Ranked]:
    """The groups, the best first; the largest ones when there are very many."""
    sizes = Counter({name: len(values) for name, values in observed.results.items()})
    names = [name for name, _ in sizes.most_common(MOST_COMPARED)]
    groups = [
        make_group(name, observed.results[name], observed.costs[name] if with_cost else None)
        for name in names
    ]
    free = [group.name for group in groups if not group.costs.sum()]
    groups = [group for group in groups if group.name not in free]
    if len(groups) < 2:
        raise SkillError("no-cost", "Fewer than two groups have any cost.", "Name another column as `cost`.")
    groups.sort(key=lambda group: (-group.score, group.name))
    p_values = holm([permutation_p(groups[0], other) for other in groups[1:]])
    return [
        Ranked(group, *interval(group), p_value)
        for group, p_value in zip(groups, [None, *p_values], strict=True)
    ]


def answer(ranked: Sequence[Ranked], roles: Roles, what: str) -> str:
    """Two to four plain sentences."""
    best, second = ranked[0], ranked[1]
    per = (
        f"{number(best.group.score)} {roles.metric} per 1 {roles.cost}"
        if roles.cost
        else number(best.group.score)
    )
    rest = sum(float(entry.group.results.sum()) for entry in ranked[1:])
    rest_cost = sum(float(entry.group.costs.sum()) for entry in ranked[1:])
    others = rest / rest_cost if rest_cost else 0.0
    factor = (
        f", {best.group.score / others:.1f} times the {number(others)} of the others together"
        if others > 0
        else ""
    )
    span = f"95 % interval {number(best.low)} to {number(best.high)}"
    p_value = second.p_value if second.p_value is not None else 1.0
    established = [entry for entry in ranked[1:] if (entry.p_value or 0) < SIGNIFICANT]
    if p_value < SIGNIFICANT:
        advice = "should get more budget" if roles.cost else "is the best"
        lead = f"Its lead over the next, {second.group.name} ({number(second.group.score)}), is significant ({said(p_value)})."
        return f"{best.group.name} {advice}: {per}{factor} ({span}). {lead}"
    first = f"{best.group.name} has the highest {what}: {per}{factor} ({span})."
    doubt = f"Its lead over {second.group.name} ({number(second.group.score)}) is not established ({said(p_value)})."
    if established:
        beaten = ", ".join(entry.group.name for entry in established[:5])
        return f"{first} {doubt} It is significantly better than {beaten}."
    return f"{first} {doubt} There is no clear winner in this data."


def caveats(ranked: Sequence[Ranked], observed: Observations, roles: Roles) -> list[str]:
    """What a careful reader should know."""
    notes: list[str] = []
    if observed.unusable:
        notes.append(f"{observed.unusable} rows without a usable {roles.group} or number were left out.")
    if len(observed.results) > MOST_COMPARED:
        notes.append(
            f"Of {len(observed.results)} groups the {MOST_COMPARED} with the most rows were compared."
        )
    small = [entry.group.name for entry in ranked if entry.group.rows < FEWEST_ROWS]
    if small:
        notes.append(f"Few rows, so little certainty: {', '.join(small[:5])}.")
    if roles.cost:
        notes.append(f"More {roles.cost} may bring less than the average so far did.")
    return notes


def row(entry: Ranked, *, with_cost: bool) -> dict[str, Any]:
    """A line of the table."""
    group = entry.group
    return {
        "group": group.name,
        "rows": group.rows,
        "total": round(float(group.results.sum()), 6),
        "cost": round(float(group.costs.sum()), 6) if with_cost else None,
        "score": round(group.score, 6),
        "low": round(entry.low, 6),
        "high": round(entry.high, 6),
        "p_value": None if entry.p_value is None else round(entry.p_value, 5),
    }


def number(value: float) -> str:
    """A number as a person reads it."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def said(p_value: float) -> str:
    """A p-value in words."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


if __name__ == "__main__":
    action.run(main)
