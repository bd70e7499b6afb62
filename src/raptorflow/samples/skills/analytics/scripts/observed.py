"""What is seen of a table's columns in one pass: batches of rows, column by column, in bounded memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from columns import Column, is_missing, parse_date, parse_number
from table import Table, Tally
from trends import outliers, quantiles

SEED = 20_260_101
BATCH = 4000
MOST_DISTINCT = 10_000
MOST_NUMBERS = 200_000
MOST_DAYS = 20_000
TOP_VALUES = 5
LONGEST_VALUE = 100

Numbers = NDArray[np.float64]
Days = NDArray[np.int64]


class Calendar:
    """Gives each day a small number, in the order of their coming; -1 for what is no date."""

    def __init__(self, written: str) -> None:
        self._written = written
        self._numbers: dict[str, int] = {}
        self._by_day: dict[date, int] = {}

    def days(self, cells: Sequence[str]) -> Days:
        """The numbers of the days in these cells."""
        known = self._numbers
        for cell in set(cells) - known.keys():
            day = parse_date(cell, self._written)
            known[cell] = -1 if day is None else self._by_day.setdefault(day, len(self._by_day))
        found = np.array([known[cell] for cell in cells], dtype=np.int64)
        if len(known) > MOST_DAYS * 10:
            known.clear()
        return found

    def ordered(self) -> list[tuple[date, int]]:
        """The days and their numbers, in the order of time."""
        return sorted(self._by_day.items())


class NumberColumn:
    """A column of numbers: count and sum of all, sums by day, and a fair sample once there are very many."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.missing = self.odd = self.count = 0
        self.total = 0.0
        self.low, self.high = float("inf"), float("-inf")
        self.kept: Numbers = np.empty(0)
        self.daily: Numbers = np.zeros((2, 0))
        self._chance = np.random.default_rng(SEED)

    def take(self, cells: Sequence[str], days: Days | None) -> None:
        """Take a batch in."""
        values = self._numbers(cells)
        there = np.isfinite(values)
        if days is not None:
            self._take_days(values[there & (days >= 0)], days[there & (days >= 0)])
        values = values[there]
        if len(values):
            self.total += float(values.sum())
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
            self._keep(values)
            self.count += len(values)

    def describe(self) -> dict[str, Any]:
        """What the column holds."""
        basic = {"name": self.column.name, "type": "number", "missing": self.missing, "not_numbers": self.odd}
        if not self.count:
            return basic
        count, rule = outliers(self.kept)
        quarter, middle, three_quarters = quantiles(self.kept, (0.25, 0.5, 0.75))
        return basic | {
            "minimum": self.low,
            "lower_quartile": tidy(quarter),
            "median": tidy(middle),
            "mean": tidy(self.total / self.count),
            "upper_quartile": tidy(three_quarters),
            "maximum": self.high,
            "outliers": round(count * self.count / len(self.kept)),
            "outlier_rule": rule,
        }

    def _numbers(self, cells: Sequence[str]) -> Numbers:
        """The batch as numbers, NaN where there is none; the quick way when every cell is plainly written."""
        if not self.column.decimal_comma:
            try:
                values = np.fromiter(map(float, cells), np.float64, len(cells))
            except ValueError:
                return self._one_by_one(cells)
            sizes = np.abs(values)
            if bool(((sizes < 1e60) & ((sizes > 1e-60) | (sizes == 0))).all()):
                return values
        return self._one_by_one(cells)

    def _one_by_one(self, cells: Sequence[str]) -> Numbers:
        comma = self.column.decimal_comma
        values = np.full(len(cells), np.nan)
        for place, cell in enumerate(cells):
            number = parse_number(cell, decimal_comma=comma)
            if number is not None:
                values[place] = number
            elif is_missing(cell):
                self.missing += 1
            else:
                self.odd += 1
        return values

    def _take_days(self, values: Numbers, days: Days) -> None:
        if not len(days):
            return
        size = max(self.daily.shape[1], int(days.max()) + 1)
        grown = np.zeros((2, size))
        grown[:, : self.daily.shape[1]] = self.daily
        grown[0] += np.bincount(days, weights=values, minlength=size)
        grown[1] += np.bincount(days, minlength=size)
        self.daily = grown

    def _keep(self, values: Numbers) -> None:
        """Beyond the most that are kept, reservoir sampling (Vitter's algorithm R)."""
        room = MOST_NUMBERS - len(self.kept)
        if room > 0:
            self.kept = np.concatenate([self.kept, values[:room]])
        late = values[max(room, 0) :]
        if len(late):
            first = self.count + len(values) - len(late)
            places = (self._chance.random(len(late)) * np.arange(first + 1, first + len(late) + 1)).astype(
                int
            )
            chosen = places < MOST_NUMBERS
            self.kept[places[chosen]] = late[chosen]


class ValueColumn:
    """A column of dates, categories or text: how often each value comes."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.missing = 0
        self.values: Counter[str] = Counter()
        self.overflowing = False

    def take(self, cells: Sequence[str], days: Days | None) -> None:
        """Take a batch in; `days` does not matter here."""
        for cell, count in Counter(cells).items():
            value = cell.strip()[:LONGEST_VALUE]
            if is_missing(cell):
                self.missing += count
            elif value in self.values or len(self.values) < MOST_DISTINCT:
                self.values[value] += count
            else:
                self.overflowing = True

    def describe(self) -> dict[str, Any]:
        """What the column holds."""
        column = self.column
        top = [{"value": value, "count": count} for value, count in self.values.most_common(TOP_VALUES)]
        found: dict[str, Any] = {
            "name": column.name,
            "type": column.kind,
            "missing": self.missing,
            "distinct": len(self.values),
            "distinct_exact": not self.overflowing,
            "top": top,
        }
        if column.date_format:
            days = [day for value in self.values if (day := parse_date(value, column.date_format))]
            if days:
                found |= {"first": min(days).isoformat(), "last": max(days).isoformat()}
        return found


Observed = NumberColumn | ValueColumn


def observe(
    table: Table, columns: Sequence[Column], tally: Tally
) -> tuple[list[Observed], list[tuple[date, int]]]:
    """One pass over the rows: the columns, and the days of the first column of dates with their numbers."""
    seen: list[Observed] = [
        NumberColumn(column) if column.kind == "number" else ValueColumn(column) for column in columns
    ]
    date_at = next((place for place, column in enumerate(columns) if column.date_format), None)
    calendar = Calendar(columns[date_at].date_format or "") if date_at is not None else None
    for batch in _batches(table.rows(tally)):
        cells = list(zip(*batch, strict=True))
        days = calendar.days(cells[date_at]) if calendar and date_at is not None else None
        for one, its_cells in zip(seen, cells, strict=True):
            one.take(its_cells, days)
    return seen, calendar.ordered() if calendar else []


def tidy(value: float) -> float:
    """A number without the noise of its last digits."""
    return float(f"{value:.10g}")


def _batches(rows: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch
