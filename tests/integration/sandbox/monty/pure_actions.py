"""Actions that only compute: run in CPython and in the pure tier, by the name that the argument gives."""

import base64
import bisect
import csv
import datetime
import decimal
import functools
import hashlib
import itertools
import json
import math
import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raptorflow_skill import action, progress
from raptorflow_skill.errors import SkillError
from raptorflow_skill.variables import variables


@dataclass
class Row:
    team: str
    spent: int = 0

    def twice(self) -> int:
        return self.spent * 2


def arithmetic(given: dict[str, Any]) -> dict[str, Any]:
    n = given["n"]
    return {"a": n**30, "b": -n // 2, "c": divmod(-n, 3), "d": n / 3, "e": n << 70 >> 3, "f": ~n ^ 0b1010}


def rounding(given: dict[str, Any]) -> dict[str, Any]:
    halves = [round(n / 1000, 2) for n in range(5, 3000, 10)] + [
        round(-n / 100, 1) for n in range(5, 300, 10)
    ]
    large = [round(1e300, 5), round(5e-324, 400), round(1250.0, -2), round(12345, -2)]
    return {"a": halves, "b": large, "c": [round(2.5), round(-1.5), round(0.5, None), round(given["n"], 2)]}


def text(given: dict[str, Any]) -> dict[str, Any]:
    words = " ".join(sorted(given["words"]))
    shown = f"{3.14159:8.2f}|{1234567:,}|{7:>5}|{0.256:.1%}|{words!r:>30}"
    return {
        "a": words.upper().split(),
        "b": "é".encode().hex(),
        "c": shown,
        "d": words[::-2],
        "e": words.title(),
    }


def percent(given: dict[str, Any]) -> dict[str, Any]:
    template = "%05.1f %s %r %x"
    return {"a": template % (2.25, "x", "y", given["n"])}


def comprehensions(given: dict[str, Any]) -> dict[str, Any]:
    lengths = {word: len(word) for word in given["words"]}
    return {"a": lengths, "b": [value for row in given["rows"] for value in row.values() if value]}


def counting(given: dict[str, Any]) -> dict[str, Any]:
    letters = Counter("".join(given["words"])).most_common(2)
    recent = list(deque([1, 2, 3], maxlen=2))
    return {"a": letters, "b": recent, "c": bisect.bisect([1, 5, 9], given["n"])}


def grouping(given: dict[str, Any]) -> dict[str, Any]:
    by_team: defaultdict[str, list[int]] = defaultdict(list)
    for row in given["rows"]:
        by_team[row["team"]].append(row["spent"])
    return {team: sum(spent) for team, spent in sorted(by_team.items())}


def classes(given: dict[str, Any]) -> dict[str, Any]:
    return {
        "a": [Row(**row).twice() for row in given["rows"]],
        "b": Row("x") == Row("x", 0),
        "c": repr(Row("y")),
    }


def closures(given: dict[str, Any]) -> dict[str, Any]:
    total = 0

    def add(x: int) -> int:
        nonlocal total
        total += x
        return total

    return {"a": [add(x) for x in range(given["n"])], "b": functools.reduce(lambda x, y: x * y, range(1, 6))}


def exceptions(given: dict[str, Any]) -> dict[str, Any]:
    told: list[str] = []
    acts: list[Callable[[], object]] = [lambda: 1 / 0, lambda: given["none"], lambda: int("x")]
    for act in acts:
        try:
            act()
        except (ZeroDivisionError, KeyError) as error:
            told.append(f"{type(error).__name__} {error}")
        except Exception as error:
            told.append(str(error))
        finally:
            told.append(".")
    return {"a": told}


def matching(given: dict[str, Any]) -> dict[str, Any]:
    told: list[Any] = []
    for row in given["rows"]:
        match row:
            case {"team": "a", "spent": spent}:
                told.append(spent)
            case {"team": team}:
                told.append(team)
            case _:
                told.append(None)
    return {"a": told}


def formats(given: dict[str, Any]) -> dict[str, Any]:
    read = json.loads(json.dumps({"a": [1, 2.5, None, True, "é"], "b": {"c": given}}, sort_keys=True))
    return {"a": read, "b": list(csv.reader(['a,b,"x,1"'])), "c": json.dumps(read, indent=2)}


def patterns(_: dict[str, Any]) -> dict[str, Any]:
    return {
        "a": re.findall(r"(\w)(\d+)", "a1 b22"),
        "b": re.sub(r"\s+", "-", "x  y"),
        "c": re.split("[,;]", "a,b;c"),
    }


def hashes(_: dict[str, Any]) -> dict[str, Any]:
    return {"a": hashlib.sha256(b"x").hexdigest(), "b": base64.b64encode(b"hello").decode()}


def dates(_: dict[str, Any]) -> dict[str, Any]:
    day = datetime.date(2026, 1, 31) + datetime.timedelta(days=30)
    return {"a": day.isoformat(), "b": day.weekday(), "c": day.strftime("%d %B %Y")}


def decimals(_: dict[str, Any]) -> dict[str, Any]:
    price = decimal.Decimal("1.10") + decimal.Decimal("2.205")
    return {
        "a": str(price),
        "b": str(decimal.Decimal(1) / 3),
        "c": str(price.quantize(decimal.Decimal("0.01"))),
    }


def maths(_: dict[str, Any]) -> dict[str, Any]:
    return {"a": math.isqrt(10**20), "b": math.fsum([0.1] * 10), "c": math.comb(20, 7), "d": math.hypot(3, 4)}


def iteration(given: dict[str, Any]) -> dict[str, Any]:
    pairs = [list(pair) for pair in itertools.combinations(given["words"], 2)]
    return {"a": pairs, "b": list(itertools.accumulate(range(6))), "c": list(zip("ab", "cd", strict=True))}


def recursion(given: dict[str, Any]) -> dict[str, Any]:
    def fibonacci(n: int) -> int:
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    return {"a": fibonacci(given["n"])}


def printing(given: dict[str, Any]) -> dict[str, Any]:
    print("beside", given["n"])
    progress.report(0.5, "half")
    return {}


def customised(_: dict[str, Any]) -> dict[str, Any]:
    return variables()


def refusing(given: dict[str, Any]) -> dict[str, Any]:
    raise SkillError("too-few", f"There are {given['n']}, é.", "Give more.")


def refusing_without_a_hint(given: dict[str, Any]) -> dict[str, Any]:
    raise SkillError("too-few", f"There are {given['n']}.")


def not_a_number(_: dict[str, Any]) -> dict[str, Any]:
    return {"a": math.nan}


def missing(given: dict[str, Any]) -> dict[str, Any]:
    return given["nothing"]


ACTIONS = {
    "arithmetic": arithmetic,
    "rounding": rounding,
    "text": text,
    "percent": percent,
    "comprehensions": comprehensions,
    "counting": counting,
    "grouping": grouping,
    "classes": classes,
    "closures": closures,
    "exceptions": exceptions,
    "matching": matching,
    "formats": formats,
    "patterns": patterns,
    "hashes": hashes,
    "dates": dates,
    "decimals": decimals,
    "maths": maths,
    "iteration": iteration,
    "recursion": recursion,
    "printing": printing,
    "customised": customised,
    "refusing": refusing,
    "refusing_without_a_hint": refusing_without_a_hint,
    "not_a_number": not_a_number,
    "missing": missing,
}

if __name__ == "__main__":
    action.run(action.choose(ACTIONS))
