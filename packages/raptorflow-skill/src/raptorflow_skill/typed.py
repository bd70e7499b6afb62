"""Inputs and outputs as dataclasses, for actions that would rather not read dictionaries.

@dataclass
class Given:
    table: Path
    currency: str = "EUR"

def main(given: Given) -> Told: ...

action.run(main)
"""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Union, cast

from raptorflow_skill.errors import SkillError

UNIONS = {Union, types.UnionType}
WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", dict: "an object"}


def on_json(main: Callable[[Any], object]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """`main` as a function from JSON object to JSON object, by the type that its parameter states.

    Raises:
        TypeError: its parameter states none.
    """
    hints = typing.get_type_hints(main)
    wanted = next((hint for name, hint in hints.items() if name != "return"), None)
    if wanted is None:
        raise TypeError("the action's function does not state the type of its input")
    return lambda given: written(main(read(wanted, given)))


def read(wanted: Any, given: object, name: str = "input") -> Any:
    """A JSON value as a type: a dataclass, list, dictionary, literal, union, path or plain value.

    Raises:
        SkillError: it does not fit (`input-invalid`); the message names the place.
    """
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if wanted is Any:
        return given
    if isinstance(wanted, type) and dataclasses.is_dataclass(wanted):
        return _fields(wanted, given, name)
    if origin in UNIONS:
        return _either(arguments, given, name)
    if origin is Literal:
        return _checked(given in arguments, given, f"one of {', '.join(map(repr, arguments))}", name)
    if origin in {list, tuple} or wanted is list:
        return _items(arguments, given, name)
    if origin is dict:
        table = cast("dict[str, object]", _checked(isinstance(given, dict), given, "an object", name))
        return {key: read(arguments[1], item, f"{name}.{key}") for key, item in table.items()}
    return _plain(wanted, given, name)


def written(told: object) -> dict[str, Any]:
    """What an action tells as a JSON object: dataclasses by their fields, paths as text."""
    plain = _as_json(told)
    if not isinstance(plain, dict):
        raise TypeError(f"an action returns an object, not a {type(told).__name__}")
    return cast("dict[str, Any]", plain)


def _as_json(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in cast("list[object]", value)]
    return str(value) if isinstance(value, Path) else value


def _fields(wanted: Any, given: object, name: str) -> object:
    table = cast("dict[str, object]", _checked(isinstance(given, dict), given, "an object", name))
    hints = typing.get_type_hints(wanted)
    fields = {field.name: field for field in dataclasses.fields(wanted) if field.init}
    for key in table.keys() - fields.keys():
        raise _misfit(f"{name}.{key} is not known", f"Known are: {', '.join(fields)}.")
    for key, field in fields.items():
        has_default = (
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        )
        if key not in table and not has_default:
            raise _misfit(f"{name}.{key} is missing", "Give it a value.")
    return wanted(**{key: read(hints[key], item, f"{name}.{key}") for key, item in table.items()})


def _either(choices: tuple[Any, ...], given: object, name: str) -> object:
    if given is None and type(None) in choices:
        return None
    problems: list[SkillError] = []
    for choice in choices:
        try:
            return read(choice, given, name)
        except SkillError as error:
            problems.append(error)
    raise problems[0]


def _items(arguments: tuple[Any, ...], given: object, name: str) -> list[object]:
    items = cast("list[object]", _checked(isinstance(given, list), given, "a list", name))
    each = arguments[0] if arguments else Any
    return [read(each, item, f"{name}[{number}]") for number, item in enumerate(items)]


def _plain(wanted: Any, given: object, name: str) -> object:
    if wanted is Path:
        return Path(cast("str", _checked(isinstance(given, str), given, "a path", name)))
    if wanted is float and isinstance(given, int) and not isinstance(given, bool):
        return float(given)
    fits = isinstance(given, wanted) and (wanted is bool or not isinstance(given, bool))
    return _checked(fits, given, WORDS.get(wanted, wanted.__name__), name)


def _checked(fits: bool, given: object, words: str, name: str) -> object:
    if not fits:
        raise _misfit(
            f"{name} is {given!r:.60}, and has to be {words}", "Send what the action's schema says."
        )
    return given


def _misfit(message: str, hint: str) -> SkillError:
    return SkillError("input-invalid", f"{message}.", hint)
