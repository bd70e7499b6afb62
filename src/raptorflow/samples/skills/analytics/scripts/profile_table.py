"""What is in a table: columns, types, ranges, outliers, trends."""

# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.0,<3", "pillow>=11,<14"]
# ///

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from chosen import SIGNIFICANT
from columns import judge_columns
from naming import is_rate
from observed import MOST_DAYS, MOST_DISTINCT, MOST_NUMBERS, NumberColumn, Observed, observe, tidy
from raptorflow_skill import action
from table import Table, Tally, open_table, tally_notes
from trends import holm, trend
from wording import listed, number, p_text

FEWEST_DAYS = 8
MOST_TRENDS = 50
MOST_SAID = 3


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Describe `given["file"]`."""
    table = open_table(Path(str(given["file"])))
    columns = judge_columns(table.header, table.sample)
    tally = Tally()
    seen, days = observe(table, columns, tally)
    described = [one.describe() for one in seen]
    trends = find_trends([one for one in seen if isinstance(one, NumberColumn)], days)
    misread = tally_notes(tally)
    return {
        "answer": " ".join([answer(table, tally, described, trends), *misread]),
        "rows": tally.rows,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "columns": described,
        "trends": trends,
        "caveats": [*table.notes, *misread, *caveats(seen)],
    }


def find_trends(numbers: Sequence[NumberColumn], days: Sequence[tuple[date, int]]) -> list[dict[str, Any]]:
    """How the daily sums (means, for rates) of each number developed; p-values corrected by Holm's method."""
    if not FEWEST_DAYS <= len(days) <= MOST_DAYS:
        return []
    found: list[dict[str, Any]] = []
    for one in numbers[:MOST_TRENDS]:
        sums, counts = one.daily
        there = [(day, at) for day, at in days if at < len(counts) and counts[at]]
        if len(there) < FEWEST_DAYS:
            continue
        places = np.array([at for _, at in there])
        since = np.array([(day - there[0][0]).days for day, _ in there], dtype=np.float64)
        means = is_rate(one.column.name)
        slope, p_value = trend(since, sums[places] / counts[places] if means else sums[places])
        daily = {"column": one.column.name, "of": "daily mean" if means else "daily sum"}
        found.append(daily | {"per_day": tidy(slope), "p_value": p_value, "days": len(there)})
    for entry, p_value in zip(found, holm([entry["p_value"] for entry in found]), strict=True):
        entry["p_value"] = round(p_value, 5)
    return found


def answer(
    table: Table, tally: Tally, described: Sequence[dict[str, Any]], trends: Sequence[dict[str, Any]]
) -> str:
    """Two to four plain sentences."""
    kinds = Counter(column["type"] for column in described)
    parts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    sentences = [f"{table.path.name} has {tally.rows:,} rows and {len(described)} columns ({parts})."]
    if holes := [f"{column['name']} ({column['missing']:,})" for column in described if column["missing"]]:
        sentences.append(f"Values are missing in {listed(holes)}.")
    if odd := [
        f"{column['name']} ({column['outliers']:,})" for column in described if column.get("outliers")
    ]:
        sentences.append(f"Outliers stand in {listed(odd)}.")
    moving = [
        f"the {entry['of']} of {entry['column']} {'rises' if entry['per_day'] > 0 else 'falls'} by "
        f"{number(abs(entry['per_day']))} a day ({p_text(entry['p_value'])})"
        for entry in trends
        if entry["p_value"] < SIGNIFICANT
    ]
    if moving:
        sentences.append(f"Over time {'; '.join(moving[:MOST_SAID])}.")
    elif trends:
        sentences.append("No number shows a significant trend over time.")
    return " ".join(sentences)


def caveats(seen: Sequence[Observed]) -> list[str]:
    """What was simplified."""
    notes: list[str] = []
    numbers = [one for one in seen if isinstance(one, NumberColumn)]
    if odd := [f"{one.column.name} ({one.odd:,})" for one in numbers if one.odd]:
        notes.append(f"Not numbers, in columns of numbers: {listed(odd)}.")
    if any(one.count > MOST_NUMBERS for one in numbers):
        notes.append(f"Medians, quartiles and outliers are of a random sample of {MOST_NUMBERS:,} rows.")
    if many := [one.column.name for one in seen if not isinstance(one, NumberColumn) and one.overflowing]:
        notes.append(
            f"More than {MOST_DISTINCT:,} different values: {listed(many)}; only these were counted."
        )
    return notes


if __name__ == "__main__":
    action.run(main)
