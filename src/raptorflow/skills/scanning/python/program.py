"""The Python of a skill as one program: its modules, what they define, and what was called."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from raptorflow.skills.scanning.python.parsing import Parsed
from raptorflow.skills.scanning.python.value import NOTHING, Value
from raptorflow.skills.scanning.subject import Source

OWN = "@"
"""What the dotted name of something begins with that the skill itself defines."""
AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass
class Module:
    """One source, and its names once it has been evaluated."""

    parsed: Parsed
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    entered: bool = False

    @property
    def source(self) -> Source:
        """Where it stands."""
        return self.parsed.source

    def own(self, name: str) -> str:
        """The dotted name of what it defines."""
        return f"{OWN}{self.source.path}:{self.source.first_line}:{name}"


@dataclass
class Frame:
    """Names while a body is evaluated.

    Attributes:
        function: the own name of the function; empty in a module's body.
        at_import: whether importing the module comes here.
        outer: where names are looked for that this does not have.
        returned: what the function gave back so far.
    """

    module: Module
    names: dict[str, Value]
    function: str = ""
    at_import: bool = False
    outer: "Frame | None" = None
    returned: list[Value] = field(default_factory=list[Value])
    shared: set[str] = field(default_factory=set[str])

    def find(self, name: str) -> Value | None:
        """What a name stands for, here or further out."""
        frame: Frame | None = self
        while frame:
            if name in frame.names:
                return frame.names[name]
            frame = frame.outer
        return self.module.names.get(name)

    def put(self, name: str, value: Value) -> None:
        """Let a name stand for a value."""
        target = self.module.names if name in self.shared else self.names
        target[name] = value


@dataclass(frozen=True)
class Function:
    """A function that the skill defines, with the frame it was defined in."""

    node: AnyFunction
    frame: Frame
    name: str
    of_class: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the program makes.

    Attributes:
        name: the dotted name of what is called (`requests.post`, `socket.socket().connect`).
        receiver: what a method is called on.
        line: in the file, counted from 1.
        at_import: whether importing the module makes it.
        function: the own name of the function that makes it; empty in a module's body.
        result: what it gives.
    """

    name: str
    receiver: Value
    arguments: tuple[Value, ...]
    keywords: Mapping[str, Value]
    source: Source
    line: int
    at_import: bool
    function: str
    result: Value = NOTHING

    def argument(self, place: int, *names: str) -> Value:
        """An argument by its place, or by one of its names."""
        if 0 <= place < len(self.arguments):
            return self.arguments[place]
        return next((self.keywords[name] for name in names if name in self.keywords), NOTHING)

    def all_arguments(self) -> tuple[Value, ...]:
        """Those by place, then those by name."""
        return (*self.arguments, *self.keywords.values())


@dataclass
class Program:
    """Every module of a skill, and what a walk through them has found."""

    modules: list[Module]
    functions: dict[str, Function] = field(default_factory=dict[str, Function])
    calls: list[Call] = field(default_factory=list[Call])
    decoded: list[tuple[Source, int, str]] = field(default_factory=list[tuple[Source, int, str]])
    unread: list[tuple[Source, int]] = field(default_factory=list[tuple[Source, int]])

    def module_named(self, dotted: str, beside: Module) -> Module | None:
        """The skill's own module of a name, preferring one in the importing module's folder."""
        tail = dotted.strip(".").replace(".", "/")
        files = [module for module in self.modules if not module.source.fenced]
        found = [module for module in files if _is_module(module.source.path, tail)]
        folder = beside.source.path.rpartition("/")[0]
        return next((one for one in found if one.source.path.rpartition("/")[0] == folder), None) or next(
            iter(found), None
        )


def program_of(parsed: Iterable[Parsed]) -> Program:
    """A program that nothing has walked through yet."""
    return Program([Module(one) for one in parsed])


def _is_module(path: str, tail: str) -> bool:
    stem = path.removesuffix(".py").removesuffix("/__init__")
    return bool(tail) and (stem == tail or stem.endswith(f"/{tail}"))
