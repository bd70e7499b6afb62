"""What is in a table: columns, types, ranges, outliers, trends."""

# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.0,<3", "pillow>=11,<13"]
# ///

from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from columns import Column, is_missing, judge, parse_date, parse_number
from raptorflow_skill import action
from statistics_of import outliers, trend
from table import Table, open_table

SIGNIFICANT = 0.05
MOST_DISTINCT = 10_000
FEWEST_DAYS = 8
TOP_VALUES = 3


def main(given: dict[str, Any]) -> dict[str, Any]:
    """Describe `given["file"]`."""
    table = open_table(Path(given["file"]))
    columns = [judge(name, [row[place] for row in table.sample]) for place, name in enumerate(table.header)]
    found = Reading(table, columns)
    described = [found.describe(place) for place in range(len(columns))]
    trends = found.trends()
    notes = list(table.notes)
    return {
        "answer": answer(table, found, described, trends),
        "rows": found.rows,
        "columns": described,
        "trends": trends,
        "caveats": notes,
    }


class Reading:
    """One pass over the rows: numbers, counts of values, and daily sums."""

    def __init__(self, table: Table, columns: list[Column]) -> None:
        self._columns = columns
        self.rows = 0
        self.missing = [0] * len(columns)
        self._numbers: dict[int, list[float]] = {
            place: [] for place, column in enumerate(columns) if column.kind == "number"
        }
        self._values: list[Counter[str]] = [Counter() for _ in columns]
        self._date_at = next((place for place, column in enumerate(columns) if column.kind == "date"), None)
        self._daily: dict[int, dict[date, float]] = {place: defaultdict(float) for place in self._numbers}
        for cells in table.rows():
            self._take(cells)

    def _take(self, cells: list[str]) -> None:
        self.rows += 1
        day = self._day(cells)
        for place, column in enumerate(self._columns):
            cell = cells[place]
            if is_missing(cell):
                self.missing[place] += 1
            elif place in self._numbers:
                value = parse_number(cell, decimal_comma=column.decimal_comma)
                if value is not None:
                    self._numbers[place].append(value)
                    if day:
                        self._daily[place][day] += value
            elif len(self._values[place]) < MOST_DISTINCT:
                self._values[place][cell.strip()] += 1

    def _day(self, cells: list[str]) -> date | None:
        if self._date_at is None:
            return None
        written = self._columns[self._date_at].date_format
        return parse_date(cells[self._date_at], written) if written else None

    def describe(self, place: int) -> dict[str, Any]:
        """What one column holds."""
        column = self._columns[place]
        basic: dict[str, Any] = {"name": column.name, "type": column.kind, "missing": self.missing[place]}
        if self._numbers.get(place):
            values = np.asarray(self._numbers[place])
            low, middle, high = (float(value) for value in np.quantile(values, [0, 0.5, 1]))
            mean = float(values.mean())
            basic |= {"minimum": low, "median": middle, "mean": round(mean, 6), "maximum": high}
            return basic | {"outliers": outliers(values)}
        counted = self._values[place]
        top = [{"value": value, "count": count} for value, count in counted.most_common(TOP_VALUES)]
        return basic | {"distinct": len(counted), "top": top}

    def trends(self) -> list[dict[str, Any]]:
        """How the daily sums of each number developed."""
        found: list[dict[str, Any]] = []
        for place, daily in self._daily.items():
            if len(daily) < FEWEST_DAYS:
                continue
            ordered = sorted(daily.items())
            days = np.array([(day - ordered[0][0]).days for day, _ in ordered], dtype=np.float64)
            slope, p_value = trend(days, np.array([value for _, value in ordered]))
            found.append(
                {
                    "column": self._columns[place].name,
                    "per_day": round(slope, 6),
                    "p_value": round(p_value, 5),
                    "days": len(ordered),
                }
            )
        return found


def answer(
    table: Table, found: Reading, described: list[dict[str, Any]], trends: list[dict[str, Any]]
) -> str:
    """Two to four plain sentences."""
    kinds = Counter(column["type"] for column in described)
    parts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    sentences = [f"{table.path.name} has {found.rows:,} rows and {len(described)} columns ({parts})."]
    holes = [f"{column['name']} ({column['missing']:,})" for column in described if column["missing"]]
    if holes:
        sentences.append(f"Values are missing in {', '.join(holes[:5])}.")
    odd = [f"{column['name']} ({column['outliers']:,})" for column in described if column.get("outliers")]
    if odd:
        sentences.append(f"Outliers stand in {', '.join(odd[:5])}.")
    moving = [entry for entry in trends if entry["p_value"] < SIGNIFICANT]
    if moving:
        said = [
            f"{entry['column']} {'rises' if entry['per_day'] > 0 else 'falls'} by {abs(entry['per_day']):.3g} a day"
            for entry in moving[:3]
        ]
        sentences.append(f"Over time {'; '.join(said)} (significant).")
    elif trends:
        sentences.append("No number shows a significant trend over time.")
    return " ".join(sentences)


if __name__ == "__main__":
    action.run(main)
