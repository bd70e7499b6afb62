"""Walks through a skill's Python, statement by statement, following values through names and functions.

Nothing is run: both branches of a condition are walked, a loop's body once, and what is not known stays open.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from raptorflow.skills.scanning.python.calls import Calls
from raptorflow.skills.scanning.python.expressions import element_of
from raptorflow.skills.scanning.python.parsing import Parsed
from raptorflow.skills.scanning.python.program import (
    AnyFunction,
    Call,
    Frame,
    Function,
    Module,
    Program,
    program_of,
)
from raptorflow.skills.scanning.python.value import HOLE, NOTHING, Value, joined

MAX_DEPTH = 8
MAX_VISITS = 4
"""How often one function is walked through, each time with other arguments."""
MAX_STEPS = 20_000
"""Statements that are walked a second time because of calls, in a whole skill."""


class Interpreter:
    """One walk through a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._calls = Calls(program, self.enter)
        self._value = self._calls.expressions.value
        self._assign = self._calls.expressions.assign
        self._visits: dict[str, dict[object, Value]] = {}
        self._bases: dict[str, tuple[str, ...]] = {}
        self._active: list[str] = []
        self._steps = MAX_STEPS
        self._kinds: Mapping[type[ast.stmt], Callable[[Any, Frame], None]] = {
            ast.Expr: self._expression,
            ast.Assign: self._assignment,
            ast.AnnAssign: self._annotated,
            ast.AugAssign: self._augmented,
            ast.If: self._if,
            ast.For: self._for,
            ast.AsyncFor: self._for,
            ast.While: self._while,
            ast.With: self._with,
            ast.AsyncWith: self._with,
            ast.Try: self._try,
            ast.TryStar: self._try,
            ast.FunctionDef: self._function,
            ast.AsyncFunctionDef: self._function,
            ast.ClassDef: self._class,
            ast.Return: self._return,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Global: self._global,
            ast.Match: self._match,
        }

    def walk(self) -> None:
        """Every module's body, then every function that nothing in the skill has called."""
        for module in self.program.modules:
            self._module(module)
        for name, function in list(self.program.functions.items()):
            if name not in self._visits:
                owner = Value(name=f"{function.of_class}()") if function.of_class else NOTHING
                self._visit(function, Call(name, owner, (), {}, function.frame.module.source, 0, False, ""))

    def enter(self, name: str, call: Call) -> Value | None:
        """Walk through a function, or make an object of a class; None when the skill has no such thing."""
        if name in self._bases:
            self.enter(f"{name}.__init__", call)
            return Value(name=f"{name}()", labels=_labels(call))
        function = self._method(name.replace("().", "."))
        if function is None:
            return None
        key = (
            tuple(map(_signature, call.arguments)),
            tuple((k, _signature(v)) for k, v in call.keywords.items()),
        )
        known = self._visits.setdefault(name, {})
        if key in known:
            return known[key]
        if (
            self._steps < 0
            or name in self._active
            or len(known) >= MAX_VISITS
            or len(self._active) >= MAX_DEPTH
        ):
            return joined(known.values(), _labels(call))
        known[key] = NOTHING
        known[key] = self._visit(function, call)
        return known[key]

    def _method(self, name: str, depth: int = 0) -> Function | None:
        """A function by its own name; a method may stand in a class further up."""
        if found := self.program.functions.get(name):
            return found
        owner, _, method = name.rpartition(".")
        bases = self._bases.get(owner, ()) if depth < MAX_DEPTH else ()
        return next((found for base in bases if (found := self._method(f"{base}.{method}", depth + 1))), None)

    def _visit(self, function: Function, call: Call) -> Value:
        self._visits.setdefault(function.name, {})
        self._active.append(function.name)
        frame = Frame(function.frame.module, {}, function.name, call.at_import, function.frame)
        try:
            self._bind(function, call, frame)
            if isinstance(function.node, ast.Lambda):
                return self._value(function.node.body, frame)
            self._body(function.node.body, frame)
        finally:
            self._active.pop()
        return joined(frame.returned)

    def _bind(self, function: Function, call: Call, frame: Frame) -> None:
        spec = function.node.args
        names = [part.arg for part in (*spec.posonlyargs, *spec.args)]
        defaults = [NOTHING] * (len(names) - len(spec.defaults)) + [
            self._value(d, frame) for d in spec.defaults
        ]
        if function.of_class and names and names[0] in {"self", "cls"}:
            frame.names[names.pop(0)] = Value(name=f"{function.of_class}()")
            defaults.pop(0)
        given = dict(zip(names, call.arguments, strict=False))
        for name, default in zip(names, defaults, strict=False):
            frame.names[name] = given.get(name, call.keywords.get(name, default))
        for part, node in zip(spec.kwonlyargs, spec.kw_defaults, strict=False):
            frame.names[part.arg] = call.keywords.get(part.arg) or self._value(node, frame)
        if spec.vararg:
            frame.names[spec.vararg.arg] = Value(items=call.arguments[len(names) :])
        if spec.kwarg:
            frame.names[spec.kwarg.arg] = joined(call.keywords.values())

    def _module(self, module: Module) -> None:
        if not module.entered:
            module.entered = True
            self._body(module.parsed.tree.body, Frame(module, module.names, at_import=True))

    def _body(self, body: Sequence[ast.stmt], frame: Frame) -> None:
        for statement in body:
            if self._active:
                self._steps -= 1
            kind = self._kinds.get(type(statement))
            try:
                if kind:
                    kind(statement, frame)
                else:
                    self._parts(statement, frame)
            except RecursionError:
                self.program.unread.append((frame.module.source, statement.lineno))

    def _parts(self, statement: ast.stmt, frame: Frame) -> None:
        for part in ast.iter_child_nodes(statement):
            if isinstance(part, ast.expr):
                self._value(part, frame)

    def _expression(self, node: ast.Expr, frame: Frame) -> None:
        self._value(node.value, frame)

    def _assignment(self, node: ast.Assign, frame: Frame) -> None:
        value = self._value(node.value, frame)
        for target in node.targets:
            self._assign(target, value, frame)

    def _annotated(self, node: ast.AnnAssign, frame: Frame) -> None:
        if node.value:
            self._assign(node.target, self._value(node.value, frame), frame)

    def _augmented(self, node: ast.AugAssign, frame: Frame) -> None:
        whole = ast.BinOp(left=node.target, op=node.op, right=node.value)
        self._assign(node.target, self._value(ast.copy_location(whole, node), frame), frame)

    def _branches(self, bodies: Iterable[Sequence[ast.stmt]], frame: Frame) -> None:
        """Walk each body from the same start, and join what the names stand for afterwards."""
        before, ends = dict(frame.names), list[dict[str, Value]]()
        for body in bodies:
            frame.names.clear()
            frame.names.update(before)
            self._body(body, frame)
            ends.append(dict(frame.names))
        for name in {name for end in ends for name in end}:
            values = [end[name] for end in ends if name in end]
            same = all(value is values[0] for value in values)
            frame.names[name] = values[0] if same else joined(values)

    def _if(self, node: ast.If, frame: Frame) -> None:
        self._value(node.test, frame)
        if frame.at_import and not frame.function and _asks_for_main(node.test):
            started = Frame(frame.module, frame.names, at_import=False)
            self._body(node.body, started)
            self._body(node.orelse, frame)
        else:
            self._branches((node.body, node.orelse), frame)

    def _for(self, node: ast.For | ast.AsyncFor, frame: Frame) -> None:
        self._assign(node.target, element_of(self._value(node.iter, frame)), frame)
        self._branches((node.body, ()), frame)
        self._body(node.orelse, frame)

    def _while(self, node: ast.While, frame: Frame) -> None:
        self._value(node.test, frame)
        self._branches((node.body, ()), frame)
        self._body(node.orelse, frame)

    def _with(self, node: ast.With | ast.AsyncWith, frame: Frame) -> None:
        for item in node.items:
            value = self._value(item.context_expr, frame)
            if item.optional_vars:
                self._assign(item.optional_vars, value, frame)
        self._body(node.body, frame)

    def _try(self, node: ast.Try | ast.TryStar, frame: Frame) -> None:
        self._branches(([*node.body, *node.orelse], *(handler.body for handler in node.handlers)), frame)
        self._body(node.finalbody, frame)

    def _match(self, node: ast.Match, frame: Frame) -> None:
        self._value(node.subject, frame)
        self._branches([case.body for case in node.cases], frame)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame) -> None:
        for decorator in node.decorator_list:
            self._value(decorator, frame)
        self._define(node, node.name, frame, "")

    def _define(self, node: AnyFunction, name: str, frame: Frame, of_class: str) -> None:
        own = f"{of_class or frame.function or frame.module.own('')}.{name}".replace(":.", ":")
        self.program.functions[own] = Function(node, frame, own, of_class)
        frame.put(name, Value(name=own))

    def _class(self, node: ast.ClassDef, frame: Frame) -> None:
        own = frame.module.own(node.name)
        self._bases[own] = tuple(self._value(base, frame).name for base in node.bases)
        inner = Frame(frame.module, {}, frame.function, frame.at_import, frame)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                self._define(statement, statement.name, inner, own)
            else:
                self._body([statement], inner)
        for name, value in inner.names.items():
            if not value.name.startswith(own):
                frame.module.names[f"{own}().{name}"] = frame.module.names[f"{own}.{name}"] = value
        frame.put(node.name, Value(name=own))

    def _return(self, node: ast.Return, frame: Frame) -> None:
        frame.returned.append(self._value(node.value, frame))

    def _import(self, node: ast.Import, frame: Frame) -> None:
        for alias in node.names:
            module = self.program.module_named(alias.name, frame.module)
            if module and module is not frame.module:
                self._module(module)
                frame.put(alias.asname or alias.name, Value(name=f"module:{module.source.path}"))
            else:
                frame.put(
                    alias.asname or alias.name.partition(".")[0],
                    Value(name=alias.name if alias.asname else alias.name.partition(".")[0]),
                )

    def _import_from(self, node: ast.ImportFrom, frame: Frame) -> None:
        module = self.program.module_named(node.module or "", frame.module)
        if module and module is not frame.module:
            self._module(module)
        for alias in node.names:
            name = alias.asname or alias.name
            if module and module is not frame.module:
                frame.put(name, module.names.get(alias.name, NOTHING))
            elif node.level and not node.module:
                beside = self.program.module_named(alias.name, frame.module)
                frame.put(name, Value(name=f"module:{beside.source.path}") if beside else NOTHING)
            else:
                frame.put(name, Value(name=f"{node.module}.{alias.name}"))

    def _global(self, node: ast.Global, frame: Frame) -> None:
        frame.shared.update(node.names)


def walk(parsed: Iterable[Parsed]) -> Program:
    """Walk through the modules of a skill as one program."""
    program = program_of(parsed)
    Interpreter(program).walk()
    return program


def _asks_for_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _labels(call: Call) -> frozenset[Any]:
    return call.receiver.labels.union(*(part.every_label() for part in call.all_arguments()))


def _signature(value: Value) -> object:
    return value.name, value.texts, value.every_label(), HOLE if value.items is None else len(value.items)
