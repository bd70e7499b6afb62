"""Kubernetes quantities: `500m`, `64Mi`, `1e3`.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re

FORM = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|Ki|[MGTPE]i?)?")
BINARY = {f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", start=1)}
DECIMAL = {letter: 1000**power for power, letter in enumerate("kMGTPE", start=1)}
SCALES: dict[str, float] = {"n": 1e-9, "u": 1e-6, "m": 1e-3, **BINARY, **DECIMAL}


def quantity(text: str) -> float:
    """The number that is meant.

    Raises:
        ValueError: the text is no quantity.
    """
    found = FORM.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no quantity")
    number, suffix = found.groups()
    return float(number) * SCALES.get(suffix or "", 1)
