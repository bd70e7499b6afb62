"""Entry point of an action: JSON in on stdin, JSON out on stdout."""

import json
import sys
from collections.abc import Callable
from typing import Any

from raptorflow_skill.errors import SkillError

REFUSED = 2

Main = Callable[[dict[str, Any]], dict[str, Any]]


def run(main: Main) -> None:
    """Call `main` with the input object and print what it returns.

    A `SkillError` is printed as `{"error": {"code", "message", "hint"}}`, and the exit code is 2.
    """
    given: dict[str, Any] = json.loads(sys.stdin.read() or "{}")
    try:
        answer = main(given)
    except SkillError as error:
        problem = {"code": error.code, "message": error.message, "hint": error.hint}
        print(json.dumps({"error": problem}, ensure_ascii=False))
        sys.exit(REFUSED)
    print(json.dumps(answer, ensure_ascii=False, allow_nan=False))
