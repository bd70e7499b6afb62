"""Durations, sizes and numbers as people write them: `60s`, `1.5m`, `512MB`, `1.5`."""

import re

from raptorflow.skills.text import shown

_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
LONGEST = 32
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
# Memory is counted in powers of two here, as container runtimes do.
_BYTES = {
    "": 1.0,
    "b": 1.0,
    **dict.fromkeys(("k", "kb", "kib"), 2.0**10),
    **dict.fromkeys(("m", "mb", "mib"), 2.0**20),
    **dict.fromkeys(("g", "gb", "gib"), 2.0**30),
}


def parse_seconds(value: object) -> float:
    """Seconds of `60`, `"60s"`, `"2m"`, `"500ms"`.

    Raises:
        ValueError: it is no duration.
    """
    number, factor = _split(value, _SECONDS, "a duration such as `60s` or `2m`")
    return number * factor


def parse_bytes(value: object) -> int:
    """Bytes of `1024`, `"512MB"`, `"1GiB"`.

    Raises:
        ValueError: it is no size.
    """
    number, factor = _split(value, _BYTES, "a size such as `512MB`")
    return int(number * factor)


def parse_number(value: object) -> float:
    """The number of `2`, `1.5`, `"1.5"`.

    Raises:
        ValueError: it is no plain number.
    """
    return _split(value, {"": 1.0}, "a number such as `2`")[0]


def _split(value: object, units: dict[str, float], wanted: str) -> tuple[float, float]:
    is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
    found = _QUANTITY.fullmatch(str(value)) if is_number and len(str(value)) <= LONGEST else None
    if found is None or found.group(2).lower() not in units:
        raise ValueError(f"{shown(value)} is not {wanted}")
    return float(found.group(1)), units[found.group(2).lower()]
