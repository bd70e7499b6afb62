"""What a column holds: numbers as people write them, dates, categories, text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Kind = Literal["number", "date", "category", "text", "empty"]

ENOUGH = 0.9
MOST_CATEGORIES = 200
DATE_SAMPLE = 200
# Beyond these, squares of ratios leave the range of a float; no measurement is so large or so small.
LARGEST, SMALLEST = 1e60, 1e-60
MISSING = {
    "",
    "-",
    "--",
    "na",
    "n/a",
    "nan",
    "null",
    "none",
    "#n/a",
    "#div/0!",
    "#value!",
    "inf",
    "-inf",
    "?",
}
DATE_FORMATS = tuple(
    [
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%m/%d/%Y",
        "%d/%m/%Y",
        "%Y/%m/%d",
        "%Y-%m",
        "%d-%m-%Y",
        "%Y%m%d",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%d %H:%M",
        "%d %b %Y",
        "%b %d, %Y",
        "%d.%m.%y",
        "%m/%d/%y",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y %H:%M",
        "%B %d, %Y",
        "%d %B %Y",
        "%Y-%m-%d %H:%M:%S.%f",
    ]
)
_DECORATION = re.compile("[\\s€$£¥₹%'\u2019]|EUR|USD|GBP|CHF", re.IGNORECASE)
_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_COMPACT_DATE = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]")


@dataclass(frozen=True)
class Column:
    """A column, judged by a sample.

    Attributes:
        distinct: different values in the sample.
        decimal_comma: numbers are written 1.234,5.
        date_format: for dates, how they are written.
        values: of texts and categories, what stands there, when it is not too much.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    decimal_comma: bool = False
    date_format: str | None = None
    values: frozenset[str] = frozenset()


def judge_columns(header: Sequence[str], sample: Sequence[Sequence[str]]) -> list[Column]:
    """Every column, judged by the sample's rows."""
    return [judge(name, [row[place] for row in sample]) for place, name in enumerate(header)]


def judge(name: str, values: Sequence[str]) -> Column:
    """What a column holds, by a sample of its values."""
    present = [value.strip() for value in values if not is_missing(value)]
    missing, distinct = len(values) - len(present), len(set(present))
    if not present:
        return Column(name, "empty", missing, 0)
    comma = uses_decimal_comma(present)
    if _share(parse_number(value, decimal_comma=comma) is not None for value in present) >= ENOUGH:
        compact = all(_COMPACT_DATE.fullmatch(value) for value in present)
        if not (compact and _date_format(present)):
            return Column(name, "number", missing, distinct, decimal_comma=comma)
    if written := _date_format(present):
        return Column(name, "date", missing, distinct, date_format=written)
    repeated = distinct <= max(2, len(present) // 2) and distinct <= MOST_CATEGORIES
    shown = frozenset(present if distinct <= MOST_CATEGORIES else [])
    return Column(name, "category" if repeated else "text", missing, distinct, values=shown)


def is_missing(value: str) -> bool:
    """Whether a cell says that there is nothing, or no finite number."""
    return value.strip().casefold() in MISSING


def parse_number(value: str, *, decimal_comma: bool = False) -> float | None:
    """A number with currency signs, thousands separators, percent or brackets; None when it is none."""
    if _PLAIN.fullmatch(value) and not (decimal_comma and "." in value):
        return _within(float(value))
    text = _DECORATION.sub("", value).replace("\u2212", "-")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    text = text.replace(".", "").replace(",", ".") if decimal_comma else text.replace(",", "")
    return _within(float(text)) if _PLAIN.fullmatch(text) else None


def uses_decimal_comma(values: Sequence[str]) -> bool:
    """Whether numbers are written 1.234,56: judged by the last separator of each."""
    commas = points = 0
    for value in values:
        text = _DECORATION.sub("", value)
        comma, point = text.rfind(","), text.rfind(".")
        if comma > point and (point >= 0 or len(text) - comma - 1 != 3):
            commas += 1
        elif point > comma:
            points += 1
    return commas > points


def parse_date(value: str, written: str) -> date | None:
    """A date in a known format, or None."""
    try:
        return datetime.strptime(value.strip(), written).date()
    except ValueError:
        return None


def _within(number: float) -> float | None:
    size = abs(number)
    if size > LARGEST:
        return None
    return number if size >= SMALLEST else 0.0


def _date_format(values: Sequence[str]) -> str | None:
    sample = values[:DATE_SAMPLE]
    for written in DATE_FORMATS:
        # Two values tell most formats apart; only a likely one is worth trying on all.
        likely = any(parse_date(value, written) for value in sample[:2]) or parse_date(sample[-1], written)
        if likely and _share(parse_date(value, written) is not None for value in sample) >= ENOUGH:
            return written
    return None


def _share(found: Iterable[bool]) -> float:
    outcomes = list(found)
    return sum(outcomes) / len(outcomes) if outcomes else 0.0
