"""Entry point of an action: JSON in on stdin, JSON out on stdout."""

import contextlib
import json
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, cast

from raptorflow_skill.errors import SkillError

REFUSED = 2
BROKEN = 1
FRAMES = 3

Main = Callable[[dict[str, Any]], dict[str, Any]]


def run(main: Main) -> None:
    """Call `main` with the input object and print what it returns.

    Exit codes: 0 with the result; 2 with `{"error": {"code", "message", "hint"}}` for a `SkillError`; 1 with
    the last lines of a traceback on stderr for anything else. What `main` prints goes to stderr.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            answer = json.dumps(main(_given()), ensure_ascii=False, allow_nan=False)
    except SkillError as error:
        problem = {"code": error.code, "message": error.message, "hint": error.hint}
        _write(json.dumps({"error": problem}, ensure_ascii=False))
        sys.exit(REFUSED)
    except Exception:
        traceback.print_exc(limit=-FRAMES)
        sys.exit(BROKEN)
    _write(answer)


def choose(actions: Mapping[str, Main]) -> Main:
    """The action that the first command line argument names, for a script with several."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in actions:
        return actions[name]

    def refuse(_: dict[str, Any]) -> NoReturn:
        raise SkillError(
            "action-unknown", f"There is no action {name!r}.", f"The actions are: {', '.join(actions)}."
        )

    return refuse


def _given() -> dict[str, Any]:
    try:
        given: object = json.loads(sys.stdin.buffer.read() or b"{}")
    except ValueError as error:
        raise SkillError(
            "input-invalid", f"The input is not JSON: {error}.", "Send one JSON object."
        ) from error
    if not isinstance(given, dict):
        raise SkillError("input-invalid", f"The input is a {type(given).__name__}.", "Send one JSON object.")
    return cast("dict[str, Any]", given)


def _write(text: str) -> None:
    """UTF-8 whatever the locale; half a character, which JSON may hold, becomes a question mark."""
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace") + b"\n")
    sys.stdout.buffer.flush()
