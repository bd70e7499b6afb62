"""The interpreter of a session: runs one cell after the other in one namespace, and tells what came of each.

    PYTHON -c "... from guest.cells import main; main()"

It is a program like every other inside, with descriptor 3 as one more output. What it tells is worth no more
than what the code in it prints: that code can do to this interpreter whatever it likes.
"""

import ast
import builtins
import json
import linecache
import os
import signal
import sys
import traceback
import types
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from .cell_lines import Lines
from .cell_wire import LINE_CHARS, MESSAGE_CHARS, RESULT_CHARS, TRACE_LINES

Outcome = dict[str, Any]
AWAITING = 0x80  # a code object's flag, see `inspect.CO_COROUTINE`
# Whose frames a traceback shows: the cells', and those of the skill's and the session's own files.
THEIRS = ("<cell ", "/workspace/", "/skill/")
BROKEN = 70
BUILTINS = builtins.__dict__
ORIGINALS = dict(BUILTINS)


class Interpreter:
    """Keeps what cells leave: names, modules, and an event loop once one of them awaits."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._pid = os.getpid()
        self._running = 0
        self._runner: Any = None
        # What interrupts a cell, which may put something else there; between cells nothing is interrupted.
        self._handler: Any = signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        main_module = types.ModuleType("__main__")
        sys.modules["__main__"] = main_module
        self._names = vars(main_module)
        self._names["__builtins__"] = builtins
        signal.signal(signal.SIGIO, self._on_word)

    def run(self) -> None:
        """Take cells until there is no host any more."""
        self._tell({"cell": 0, "result": sys.version})
        while cell := self._lines.next_cell():
            self._execute(*cell)

    def _execute(self, number: int, mark: bytes, code: str) -> None:
        outcome = self._outcome(number, code)
        _flush()
        if os.getpid() != self._pid:
            # A copy that the cell has forked and that came to the end of it.
            os._exit(1 if "error" in outcome else 0)
        self._lines.mark(mark)
        self._tell({"cell": number, **outcome})

    def _outcome(self, number: int, code: str) -> Outcome:
        name = f"<cell {number}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        try:
            signal.signal(signal.SIGINT, self._handler)
            self._running = number
            self._look()
            value = self._evaluate(code, name)
            outcome = {} if value is None else _shown(repr(value))
            self._running = 0
        except BaseException as error:
            self._running = 0
            self._rest()
            return {"error": _described(error)}
        self._rest()
        return outcome

    def _evaluate(self, code: str, name: str) -> object:
        """Run the cell; the value of its last line when that is an expression."""
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        tree = compile(code, name, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        steps = [compile(tree, name, "exec", flags, dont_inherit=True)]
        if isinstance(last, ast.Expr):
            steps.append(compile(ast.Expression(last.value), name, "eval", flags, dont_inherit=True))
        value: object = None
        for step in steps:
            value = self._step(step)
        return value

    def _step(self, code: types.CodeType) -> object:
        try:
            value = types.FunctionType(code, self._names)()
            return self._awaited(value) if code.co_flags & AWAITING else value
        finally:
            _mend()

    def _awaited(self, value: object) -> object:
        # Imported for the cells that await: it takes longer than everything else here.
        self._runner = self._runner or import_module("asyncio").Runner()
        return self._runner.run(value)

    def _on_word(self, _number: int, _frame: object) -> None:
        """Something came while a cell runs: perhaps it shall be interrupted."""
        if self._running:
            self._look()

    def _look(self) -> None:
        if self._lines.interrupted(self._running):
            signal.raise_signal(signal.SIGINT)

    def _rest(self) -> None:
        """Let no interrupt through until the next cell, and forget one that came at the last moment."""
        while True:
            try:
                self._handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
            except KeyboardInterrupt:
                continue
            return

    def _tell(self, outcome: Outcome) -> None:
        self._lines.tell(json.dumps(outcome, ensure_ascii=False).encode())


def _shown(text: str) -> Outcome:
    return {"result": _plain(text[:RESULT_CHARS]), "cut": len(text) > RESULT_CHARS}


def _described(error: BaseException) -> Outcome:
    """Its name, its message, and its traceback without what is not the cells'."""
    try:
        trace = traceback.TracebackException(type(error), error, error.__traceback__)
        for each in _chain(trace):
            each.stack[:] = [frame for frame in each.stack if frame.filename.startswith(THEIRS)]
        lines = "".join(trace.format()).splitlines()
        name, message = type(error).__name__, str(error)
    except Exception:
        name, message, lines = type(error).__name__, "It cannot be shown.", []
    half = TRACE_LINES // 2
    kept = lines if len(lines) <= TRACE_LINES else [*lines[: half - 1], "...", *lines[-half:]]
    return {
        "name": _plain(name[:LINE_CHARS]),
        "message": _plain(message[:MESSAGE_CHARS]),
        "traceback": [_plain(line[:LINE_CHARS]) for line in kept],
    }


def _chain(trace: traceback.TracebackException) -> Iterator[traceback.TracebackException]:
    """An error, those that led to it, and those that it is a group of."""
    left = [trace]
    while left:
        each = left.pop()
        yield each
        chained = (each.__cause__, each.__context__, *(each.exceptions or ()))
        left += [other for other in chained if other is not None]


def _plain(text: str) -> str:
    """Text that can be sent: Python's may hold halves of characters."""
    return text.encode("utf-8", "backslashreplace").decode()


def _mend() -> None:
    """Bring back the builtins that a cell has deleted. Nothing here may need one."""
    for name, value in ORIGINALS.items():
        if name not in BUILTINS:
            BUILTINS[name] = value


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        # Closed or replaced by the cell: what it printed there is its own affair.
        with suppress(Exception):
            if stream:
                stream.flush()


def _hide() -> None:
    """Let cells import what is theirs: not this package, and from the working folder first."""
    del sys.path[0]
    package = __name__.partition(".")[0]
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def main() -> None:
    """Be the interpreter. Whatever fails here ends it: the host says so and starts another."""
    try:
        interpreter = Interpreter()
        _hide()
        interpreter.run()
    finally:
        os._exit(BROKEN)
