"""What a call gives: computed, looked up in the models, or found in the skill's own function."""

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, cast

from raptorflow.skills.scanning.python.expressions import Expressions, constants_in, element_of
from raptorflow.skills.scanning.python.folding import DECODERS, CannotFold, fold_call, fold_method
from raptorflow.skills.scanning.python.models import result_of
from raptorflow.skills.scanning.python.program import OWN, Call, Frame, Program
from raptorflow.skills.scanning.python.value import (
    HOLE,
    NO_LABELS,
    NOTHING,
    Label,
    Value,
    concatenated,
    constant,
    joined,
)

# Methods that put their arguments into what they are called on.
_PUTS = frozenset(
    ("append", "add", "update", "extend", "insert", "write", "writelines", "writestr", "setdefault", "attach",
     "set_payload", "add_header", "put", "appendleft", "writerow", "writerows")
)  # fmt: skip
_ALIASES = {
    "posix.system": "os.system",
    "nt.system": "os.system",
    "commands.getoutput": "subprocess.getoutput",
    "subprocess.call": "subprocess.run",
    "subprocess.check_call": "subprocess.run",
    "io.open": "open",
}
_PAYLOAD_CODECS = {
    "rot13",
    "rot_13",
    "hex",
    "hex_codec",
    "base64",
    "base64_codec",
    "zlib",
    "zip",
    "bz2",
    "uu",
}


class Enters(Protocol):
    """Walks through a function of the skill."""

    def __call__(self, name: str, call: Call) -> Value | None:
        """What it gives; None when there is no such function."""
        ...


class Calls:
    """Evaluates calls and records them in the program."""

    def __init__(self, program: Program, enter: Enters) -> None:
        self._program = program
        self._enter = enter
        self.expressions = Expressions(program, self.call)
        self._special: dict[str, Callable[[Call, Frame], Value]] = {
            "getattr": self._getattr,
            "__import__": self._import,
            "importlib.import_module": self._import,
            "importlib.__import__": self._import,
            "builtins.__import__": self._import,
            "vars": self._vars,
            "globals": self._named,
            "locals": self._named,
            "map": self._map,
            "enumerate": self._enumerate,
            "zip": self._zip,
        }

    def call(self, node: ast.Call, frame: Frame) -> Value:
        """The value of a call expression."""
        receiver, callee = self._callee(node.func, frame)
        arguments: list[Value] = []
        for part in node.args:
            value = self.expressions.value(part.value if isinstance(part, ast.Starred) else part, frame)
            arguments += value.items or [value] if isinstance(part, ast.Starred) else [value]
        keywords = {part.arg or "**": self.expressions.value(part.value, frame) for part in node.keywords}
        source = frame.module.source
        call = Call(
            name=_plain(callee.name),
            receiver=receiver,
            arguments=tuple(arguments),
            keywords=keywords,
            source=source,
            line=source.first_line + node.lineno - 1,
            at_import=frame.at_import,
            function=frame.function,
        )
        result = self._result(call, node, frame)
        self._program.calls.append(replace(call, result=result))
        return result

    def _callee(self, node: ast.expr, frame: Frame) -> tuple[Value, Value]:
        if not isinstance(node, ast.Attribute):
            return NOTHING, self.expressions.value(node, frame)
        receiver = self.expressions.value(node.value, frame)
        callee = self.expressions.attribute(receiver, node.attr, frame)
        return receiver, callee if callee.name else Value(name=f".{node.attr}", labels=callee.labels)

    def _result(self, call: Call, node: ast.Call, frame: Frame) -> Value:
        if special := self._special.get(call.name):
            return special(call, frame)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _PUTS and call.arguments:
            self.expressions.mix_in(node.func.value, joined(call.arguments), frame)
        folded = self._folded(call, node)
        if folded is not None:
            return folded
        if call.name.startswith(OWN) and (given := self._enter(call.name, call)) is not None:
            return given
        self._called_back(call)
        return result_of(call)

    def _called_back(self, call: Call) -> None:
        """A function of the skill that is handed over is called by whoever gets it."""
        handed = [value for value in call.all_arguments() if value.name.startswith(OWN)]
        for value in handed:
            rest = tuple(part for part in call.all_arguments() if part is not value)
            passed = call.keywords.get("args", NOTHING).items or rest
            self._enter(value.name, replace(call, arguments=tuple(passed), keywords={}))

    def _folded(self, call: Call, node: ast.Call) -> Value | None:
        attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        try:
            if attribute and (call.receiver.known or call.receiver.texts):
                return self._method(call, attribute)
            return self._function(call)
        except CannotFold:
            decodes = call.name in DECODERS
            label = frozenset((Label("decoded", call.name),)) if decodes else NO_LABELS
            return Value(labels=label.union(*(part.labels for part in call.arguments))) if decodes else None

    def _function(self, call: Call) -> Value:
        if not call.arguments or not all(part.known for part in call.all_arguments()):
            raise CannotFold
        keywords = {name: value.const for name, value in call.keywords.items()}
        made = fold_call(call.name, [part.const for part in call.arguments], keywords)
        return self._made(made, call, call.name if call.name in DECODERS else "")

    def _method(self, call: Call, method: str) -> Value:
        owner = call.receiver
        if method == "join" and owner.known and call.arguments:
            return self._join(call)
        if method == "format" and owner.texts:
            return _formatted(call)
        if not owner.known or not all(part.known for part in call.arguments):
            if method in {"encode", "decode", "strip", "lower", "rstrip", "lstrip"}:
                return Value(texts=owner.texts, name=owner.name, labels=owner.labels)
            raise CannotFold
        made = fold_method(owner.const, method, [part.const for part in call.arguments])
        codec = call.argument(0).text if method == "decode" else ""
        return self._made(made, call, codec if codec in _PAYLOAD_CODECS else "")

    def _join(self, call: Call) -> Value:
        given = call.argument(0)
        if parts := constants_in(given):
            return self._made(fold_method(call.receiver.const, "join", [parts]), call, "join")
        if given.items and not given.keys:
            between = constant(call.receiver.const)
            return concatenated([part for item in given.items for part in (between, item)][1:])
        return Value(labels=given.every_label())

    def _made(self, made: object, call: Call, decoder: str) -> Value:
        labels = call.receiver.labels.union(*(part.labels for part in call.arguments))
        if decoder and decoder != "join":
            labels |= {Label("decoded", decoder)}
        value = constant(made, labels)
        if (decoder or call.name == "join") and value.text:
            self._program.decoded.append((call.source, call.line, value.text))
        if isinstance(made, list):
            items = cast("list[Any]", made)
            return replace(value, items=tuple(constant(item, labels) for item in items))
        return value

    def _getattr(self, call: Call, frame: Frame) -> Value:
        name = call.argument(1).text
        if not name or HOLE in name:
            return Value(labels=call.receiver.labels)
        return self.expressions.attribute(call.argument(0), name, frame)

    def _import(self, call: Call, frame: Frame) -> Value:
        name = call.argument(0, "name").text
        module = self._program.module_named(name, frame.module)
        return Value(name=f"module:{module.source.path}") if module else Value(name=name)

    def _vars(self, call: Call, _: Frame) -> Value:
        return Value(name=f"{call.argument(0).name}.__dict__" if call.arguments else "vars()")

    def _named(self, call: Call, _: Frame) -> Value:
        return Value(name=f"{call.name}()")

    def _map(self, call: Call, _: Frame) -> Value:
        given = call.argument(1)
        if items := constants_in(given):
            try:
                made = [fold_call(call.argument(0).name, [item], {}) for item in items]
                return Value(const=made, items=tuple(map(constant, made)))
            except CannotFold:
                pass
        self._called_back(replace(call, arguments=(call.argument(0), element_of(given))))
        return Value(items=(element_of(given),))

    def _enumerate(self, call: Call, _: Frame) -> Value:
        return Value(items=(Value(items=(NOTHING, element_of(call.argument(0)))),))

    def _zip(self, call: Call, _: Frame) -> Value:
        return Value(items=(Value(items=tuple(element_of(part) for part in call.arguments)),))


def _formatted(call: Call) -> Value:
    """`"…{}…{name}".format(…)` with what is known filled in."""
    labels = call.receiver.labels.union(*(part.every_label() for part in call.all_arguments()))
    texts: list[str] = []
    for text in call.receiver.texts:
        for place, part in enumerate(call.arguments):
            text = text.replace(f"{{{place}}}", part.text or HOLE).replace("{}", part.text or HOLE, 1)
        for name, part in call.keywords.items():
            text = text.replace(f"{{{name}}}", part.text or HOLE)
        texts.append(text)
    return Value(texts=tuple(texts), labels=labels)


def _plain(name: str) -> str:
    """The one name of a thing that has several."""
    for prefix in ("builtins.", "__builtins__."):
        name = name.removeprefix(prefix)
    return _ALIASES.get(name, name)
