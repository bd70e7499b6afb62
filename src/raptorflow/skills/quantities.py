"""Durations and sizes as people write them: `60s`, `1.5m`, `512MB`."""

import re

_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
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


def _split(value: object, units: dict[str, float], wanted: str) -> tuple[float, float]:
    found = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if found is None or found.group(2).lower() not in units:
        raise ValueError(f"{value!r} is not {wanted}")
    return float(found.group(1)), units[found.group(2).lower()]
