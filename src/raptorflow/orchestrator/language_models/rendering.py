"""An action's output as text: its own answer when it has one, otherwise its values, shortly. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from raptorflow.base.json import JsonObject

ANSWERS = ("answer", "summary")
MOST_LINES = 20
MOST_ROWS = 5
LONGEST_VALUE = 200


def render(output: JsonObject, skill: str, version: str) -> str:
    """What a skill's result says, and what made it."""
    if isinstance(output.get("error"), dict):
        return _error(output["error"], skill, version)
    files = output.get("artifacts", [])
    told = next((str(output[key]) for key in ANSWERS if isinstance(output.get(key), str)), None)
    lines = [told or "\n".join(_limited(_lines(output)))]
    lines += [f"Files: {', '.join(map(str, files))}"] if files else []
    lines.append(f"(from the skill {skill} {version})")
    return "\n".join(lines)


def _error(error: JsonObject, skill: str, version: str) -> str:
    lines = [f"{skill} {version} could not do this: {error.get('message', 'it gave no reason')}"]
    lines += [str(error["hint"])] if error.get("hint") else []
    return "\n".join(lines)


def _lines(output: Mapping[str, Any]) -> Iterator[str]:
    for key, value in output.items():
        if key == "artifacts":
            continue
        if isinstance(value, list) and value:
            rows = cast(list[Any], value)
            yield f"{key}:"
            yield from (f"  - {_short(row)}" for row in rows[:MOST_ROWS])
            if len(rows) > MOST_ROWS:
                yield f"  - and {len(rows) - MOST_ROWS} more"
        else:
            yield f"{key}: {_short(value)}"


def _limited(lines: Iterator[str]) -> list[str]:
    kept = list(lines)
    return (
        [*kept[:MOST_LINES], f"... {len(kept) - MOST_LINES} more lines"] if len(kept) > MOST_LINES else kept
    )


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        row = cast(Mapping[str, Any], value)
        text = ", ".join(f"{key} {inner}" for key, inner in row.items())
    else:
        text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."
