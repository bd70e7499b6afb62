"""What a column holds: numbers as people write them, dates, categories, text."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Kind = Literal["number", "date", "category", "text", "empty"]

ENOUGH = 0.9
MOST_CATEGORIES = 200
MISSING = {"", "-", "na", "n/a", "nan", "null", "none", "#n/a", "?"}
DATE_FORMATS = (
    "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%Y-%m", "%d-%m-%Y", "%Y%m%d",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d %b %Y", "%b %d, %Y", "%d.%m.%y",
)  # fmt: skip
_DECORATION = re.compile(r"[\s€$£¥%'’ ]|EUR|USD|GBP|CHF", re.IGNORECASE)
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Column:
    """A column, judged by a sample.

    Attributes:
        distinct: different values in the sample.
        decimal_comma: numbers are written 1.234,5.
        date_format: for dates, how they are written.
    """

    name: str
    kind: Kind
    missing: int
    distinct: int
    decimal_comma: bool = False
    date_format: str | None = None


def judge(name: str, values: Sequence[str]) -> Column:
    """What a column holds, by a sample of its values."""
    present = [value.strip() for value in values if not is_missing(value)]
    missing, distinct = len(values) - len(present), len(set(present))
    if not present:
        return Column(name, "empty", missing, 0)
    comma = uses_decimal_comma(present)
    if _share(parse_number(value, decimal_comma=comma) is not None for value in present) >= ENOUGH:
        written = (
            _date_format(present) if all(re.fullmatch(r"(19|20)\d{6}", value) for value in present) else None
        )
        if written is None:
            return Column(name, "number", missing, distinct, decimal_comma=comma)
    written = _date_format(present)
    if written:
        return Column(name, "date", missing, distinct, date_format=written)
    repeated = distinct <= max(2, len(present) // 2) and distinct <= MOST_CATEGORIES
    return Column(name, "category" if repeated else "text", missing, distinct)


def is_missing(value: str) -> bool:
    """Whether a cell says that there is nothing."""
    return value.strip().casefold() in MISSING


def parse_number(value: str, *, decimal_comma: bool = False) -> float | None:
    """A number with currency signs, thousands separators, percent or brackets; None when it is none."""
    text = _DECORATION.sub("", value.strip())
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    text = text.replace(".", "").replace(",", ".") if decimal_comma else text.replace(",", "")
    if not _PLAIN.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


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


def _date_format(values: Sequence[str]) -> str | None:
    sample = values[:200]
    for written in DATE_FORMATS:
        if _share(parse_date(value, written) is not None for value in sample) >= ENOUGH:
            return written
    return None


def _share(found: Iterable[bool]) -> float:
    outcomes = list(found)
    return sum(outcomes) / len(outcomes) if outcomes else 0.0
