"""What an expression's value is, as far as the code tells it."""

import ast
import builtins
from collections.abc import Callable, Mapping
from typing import Any, cast

from raptorflow.skills.scanning.python.folding import CannotFold, fold_binary
from raptorflow.skills.scanning.python.models import PATH, attribute_of
from raptorflow.skills.scanning.python.program import Frame, Function, Program
from raptorflow.skills.scanning.python.value import (
    HOLE,
    MAX_ITEMS,
    MAX_NAME,
    NO_LABELS,
    NOTHING,
    UNKNOWN,
    Value,
    concatenated,
    constant,
    joined,
)

VARIABLE_NAME = "os.environ[]"
BUILTINS = frozenset(dir(builtins))
Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions:
    """Evaluates expressions; what a call does is told by `calls`, which the interpreter binds."""

    def __init__(self, program: Program, calls: Callable[[ast.Call, Frame], Value]) -> None:
        self.program = program
        self._calls = calls
        self._kinds: Mapping[type[ast.expr], Callable[[Any, Frame], Value]] = {
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Call: calls,
            ast.BinOp: self._binary,
            ast.JoinedStr: self._joined_string,
            ast.FormattedValue: self._formatted,
            ast.List: self._sequence,
            ast.Tuple: self._sequence,
            ast.Set: self._sequence,
            ast.Dict: self._dict,
            ast.Subscript: self._subscript,
            ast.IfExp: self._either,
            ast.BoolOp: self._any_of,
            ast.UnaryOp: self._unary,
            ast.Compare: self._compare,
            ast.Lambda: self._lambda,
            ast.ListComp: self._comprehension,
            ast.SetComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.NamedExpr: self._named,
            ast.Yield: self._yielded,
            ast.YieldFrom: self._yielded_from,
        }

    def value(self, node: ast.expr | None, frame: Frame) -> Value:
        """The value of an expression."""
        if node is None:
            return NOTHING
        kind = self._kinds.get(type(node))
        return kind(node, frame) if kind else self._inside(node, frame)

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Let a target stand for a value."""
        if isinstance(target, ast.Name):
            frame.put(target.id, value)
        elif isinstance(target, ast.Tuple | ast.List):
            for place, part in enumerate(target.elts):
                self.assign(part, value.item(place), frame)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, frame)
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(target, value, frame)
        elif isinstance(target, ast.Subscript):
            self.value(target.slice, frame)
            self.mix_in(target.value, value, frame)

    def mix_in(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Let what a name stands for hold a value too."""
        if isinstance(target, ast.Name):
            known = frame.find(target.id) or NOTHING
            held = (*(known.items or ()), value)[:MAX_ITEMS] if known.items is not None else None
            keys = known.keys if held is None or not known.keys else (*known.keys, UNKNOWN)[:MAX_ITEMS]
            labels = known.labels if held is not None else known.labels | value.every_label()
            frame.put(target.id, Value(name=known.name, labels=labels, items=held, keys=keys))
        elif isinstance(target, ast.Attribute):
            self._assign_attribute(target, value, frame)

    def _assign_attribute(self, target: ast.Attribute, value: Value, frame: Frame) -> None:
        """An attribute of `self` belongs to the class: methods see what other methods have put there."""
        owner = self.value(target.value, frame)
        place = f"{owner.name}.{target.attr}"
        if owner.name:
            known = frame.module.names.get(place)
            frame.module.names[place] = joined([known, value]) if known else value

    def _inside(self, node: ast.expr, frame: Frame) -> Value:
        """What is made of parts in a way that is not followed: it has all their labels."""
        parts = [self.value(part, frame) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
        return parts[0] if len(parts) == 1 else joined(parts)

    def _constant(self, node: ast.Constant, _: Frame) -> Value:
        return constant(node.value)

    def _name(self, node: ast.Name, frame: Frame) -> Value:
        known = frame.find(node.id)
        if known is not None:
            return known
        return Value(name=node.id) if node.id in BUILTINS or node.id == "__builtins__" else NOTHING

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        return self.attribute(self.value(node.value, frame), node.attr, frame)

    def attribute(self, owner: Value, name: str, frame: Frame) -> Value:
        """What stands under an attribute."""
        dotted = f"{owner.name}.{name}"[-MAX_NAME:] if owner.name else ""
        if stored := frame.module.names.get(dotted):
            return stored
        if owner.name.startswith("module:"):
            return self._of_module(owner, name)
        return attribute_of(owner, name, dotted)

    def _of_module(self, owner: Value, name: str) -> Value:
        path = owner.name.removeprefix("module:")
        module = next((one for one in self.program.modules if one.source.path == path), None)
        return module.names.get(name, NOTHING) if module else NOTHING

    def _binary(self, node: ast.BinOp, frame: Frame) -> Value:
        spine: list[ast.BinOp] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            spine.append(left)
            left = left.left
        value = self.value(left, frame)
        for step in reversed(spine):
            value = _combined(type(step.op).__name__, value, self.value(step.right, frame))
        return value

    def _joined_string(self, node: ast.JoinedStr, frame: Frame) -> Value:
        return concatenated(self.value(part, frame) for part in node.values)

    def _formatted(self, node: ast.FormattedValue, frame: Frame) -> Value:
        value = self.value(node.value, frame)
        return Value(labels=value.every_label()) if node.format_spec and not value.texts else value

    def _sequence(self, node: ast.List | ast.Tuple | ast.Set, frame: Frame) -> Value:
        items = tuple(self.value(part, frame) for part in node.elts)
        if items and len(items) <= MAX_ITEMS and all(item.known for item in items):
            return Value(const=[item.const for item in items], items=items)
        return Value(items=items[:MAX_ITEMS])

    def _dict(self, node: ast.Dict, frame: Frame) -> Value:
        keys = [self.value(key, frame) for key in node.keys]
        items = tuple(self.value(item, frame) for item in node.values)
        labels = NO_LABELS.union(*(key.every_label() for key in keys)) if keys else NO_LABELS
        return Value(labels=labels, items=items, keys=tuple(_hashable(key.const) for key in keys))

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Value:
        owner = self.value(node.value, frame)
        if isinstance(node.slice, ast.Slice):
            return self._slice(owner, node.slice, frame)
        key = self.value(node.slice, frame)
        if owner.name in {"sys.modules", "globals()", "locals()", "vars()"} or owner.name.endswith(
            ".__dict__"
        ):
            return self._by_text(owner, key, frame)
        if isinstance(owner.const, str | bytes) and isinstance(key.const, int):
            return _sliced(owner, slice(key.const, key.const + 1 or None))
        if owner.name == "os.environ" and key.name == VARIABLE_NAME:
            return Value(labels=owner.labels)
        if owner.name and owner.items is None:
            return attribute_of(owner, key.text, f"{owner.name}[]", subscript=True)
        return owner.item(_hashable(key.const))

    def _by_text(self, owner: Value, key: Value, frame: Frame) -> Value:
        if owner.name.endswith(".__dict__"):
            return self.attribute(Value(name=owner.name.removesuffix(".__dict__")), key.text, frame)
        return frame.find(key.text) or Value(name=key.text)

    def _slice(self, owner: Value, node: ast.Slice, frame: Frame) -> Value:
        bounds = [
            self.value(part, frame).const if part else None for part in (node.lower, node.upper, node.step)
        ]
        if isinstance(owner.const, str | bytes | list) and all(
            b is None or isinstance(b, int) for b in bounds
        ):
            return _sliced(owner, slice(*bounds))
        return Value(texts=owner.texts if not bounds[2] else (), labels=owner.labels, items=owner.items)

    def _either(self, node: ast.IfExp, frame: Frame) -> Value:
        self.value(node.test, frame)
        return joined([self.value(node.body, frame), self.value(node.orelse, frame)])

    def _any_of(self, node: ast.BoolOp, frame: Frame) -> Value:
        return joined([self.value(part, frame) for part in node.values])

    def _unary(self, node: ast.UnaryOp, frame: Frame) -> Value:
        value = self.value(node.operand, frame)
        if isinstance(node.op, ast.USub) and isinstance(value.const, int):
            return constant(-value.const)
        return Value(labels=value.labels)

    def _compare(self, node: ast.Compare, frame: Frame) -> Value:
        for part in (node.left, *node.comparators):
            self.value(part, frame)
        return NOTHING

    def _lambda(self, node: ast.Lambda, frame: Frame) -> Value:
        name = frame.module.own(f"lambda-{node.lineno}-{node.col_offset}")
        self.program.functions[name] = Function(node, frame, name)
        return Value(name=name)

    def _named(self, node: ast.NamedExpr, frame: Frame) -> Value:
        value = self.value(node.value, frame)
        self.assign(node.target, value, frame)
        return value

    def _yielded(self, node: ast.Yield, frame: Frame) -> Value:
        """A generator gives a container of what it yields."""
        frame.returned.append(Value(items=(self.value(node.value, frame),)))
        return NOTHING

    def _yielded_from(self, node: ast.YieldFrom, frame: Frame) -> Value:
        frame.returned.append(self.value(node.value, frame))
        return NOTHING

    def _comprehension(self, node: Comprehension, frame: Frame) -> Value:
        inner = Frame(frame.module, {}, frame.function, frame.at_import, frame)
        element = node.value if isinstance(node, ast.DictComp) else node.elt
        first = node.generators[0]
        over = self.value(first.iter, inner)
        if (
            len(node.generators) == 1
            and not first.ifs
            and (folded := self._folded(first, element, over, inner))
        ):
            return folded
        for place, generator in enumerate(node.generators):
            iterated = over if place == 0 else self.value(generator.iter, inner)
            self.assign(generator.target, element_of(iterated), inner)
            for test in generator.ifs:
                self.value(test, inner)
        key = self.value(node.key, inner) if isinstance(node, ast.DictComp) else NOTHING
        value = self.value(element, inner)
        return Value(items=(value,), labels=key.labels)

    def _folded(self, first: ast.comprehension, element: ast.expr, over: Value, inner: Frame) -> Value | None:
        """Each element computed, as code that hides a text in numbers does."""
        values = constants_in(over)
        if not values or not isinstance(element, ast.Call | ast.BinOp):
            return None
        found: list[Value] = []
        for item in values:
            self.assign(first.target, constant(item), inner)
            found.append(self.value(element, inner))
            if not found[-1].known:
                return None
        return Value(const=[item.const for item in found], items=tuple(found))


def element_of(value: Value) -> Value:
    """What iterating over a value gives."""
    if value.items is not None and not value.keys:
        return joined(value.items, value.labels)
    if value.keys:
        return joined([constant(key) for key in value.keys if isinstance(key, str)], value.labels)
    if value.name == "os.environ":
        # The names of variables are no secret; what stands under them is.
        return Value(name=VARIABLE_NAME)
    # What a folder's path gives are paths.
    name = value.name if value.name in {PATH, ""} else f"{value.name}[]"
    return Value(texts=() if value.known else value.texts, name=name, labels=value.labels)


def constants_in(value: Value) -> list[object]:
    """The constants that iterating over a value gives; empty when it is not a known list or text."""
    const: Any = value.const
    if isinstance(const, str | bytes | list) and len(cast("list[object]", const)) <= MAX_ITEMS:
        return list(cast("list[object]", const))
    return []


def _combined(sign: str, left: Value, right: Value) -> Value:
    if left.known and right.known and not (isinstance(left.const, list) or isinstance(right.const, list)):
        try:
            return constant(fold_binary(sign, left.const, right.const), left.labels | right.labels)
        except CannotFold:
            pass
    if sign == "Div" and (left.texts or right.texts):
        path = concatenated([left, constant("/"), right])
        return Value(texts=path.texts, name=left.name or right.name, labels=path.labels)
    if sign == "Add" and (left.texts or right.texts):
        return concatenated([left, right])
    if sign == "Mod" and left.texts:
        return Value(
            texts=tuple(_percent(text, right) for text in left.texts),
            labels=left.labels | right.every_label(),
        )
    held = (
        (*(left.items or ()), *(right.items or ()))
        if left.items is not None or right.items is not None
        else None
    )
    return Value(labels=left.every_label() | right.every_label(), items=held)


def _percent(text: str, right: Value) -> str:
    """`"%s/%s" % (a, b)` with what is known filled in."""
    for item in right.items or (right,):
        text = text.replace("%s", item.text or HOLE, 1)
    return text


def _sliced(owner: Value, part: slice) -> Value:
    try:
        return constant(cast("Any", owner.const)[part], owner.labels)
    except (ValueError, TypeError, OverflowError):
        return Value(labels=owner.labels)


def _hashable(key: object) -> object:
    return key if isinstance(key, str | int | bytes) else UNKNOWN
