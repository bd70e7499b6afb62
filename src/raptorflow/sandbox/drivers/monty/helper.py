"""`raptorflow_skill` in the pure tier: the same words, said in the interpreter's own language.

Imports of it become assignments, on the same lines, of what the prelude defines; those from `collections.abc`
become ones from `typing`.

The prelude also mends what the interpreter (1.4.0) gets wrong without saying so: `round` to digits of a
float, which it does by scaling and not by the number's exact value, so that 2.675 becomes 2.68.
"""

import ast

from raptorflow.skills.pure.imports import HELPER, imports_from, parsed
from raptorflow.skills.pure.vocabulary import ABSTRACT

# Before the refusal of an action, in the message of the error that stands for it.
MARK = "raptorflow-skill-error:"

PRELUDE = f'''
import json as _rf_json
import sys as _rf_sys

def _rf_mended(own):
    def rounded(number, ndigits=None):
        if type(number) is not float or ndigits is None or ndigits <= 0:
            return own(number, ndigits)
        if ndigits > 323 or number != number or number in (float("inf"), float("-inf")):
            return number
        return float(f"{{number:.{{ndigits}}f}}")
    return rounded

round = _rf_mended(round)

def _rf_SkillError(code, message, hint=None):
    return RuntimeError("{MARK}" + _rf_json.dumps([code, message, hint]))

def _rf_read():
    try:
        given = _rf_json.loads(_rf_given or "{{}}")
    except ValueError as error:
        raise _rf_SkillError("input-invalid", f"The input is not JSON: {{error}}.", "Send one JSON object.")
    if not isinstance(given, dict):
        kind = "NoneType" if given is None else type(given).__name__
        raise _rf_SkillError("input-invalid", f"The input is a {{kind}}.", "Send one JSON object.")
    return given

def _rf_run(main):
    answer = _rf_json.dumps(main(_rf_read()), ensure_ascii=False, allow_nan=False)
    print(_rf_line + answer)

def _rf_choose(actions):
    if _rf_name in actions:
        return actions[_rf_name]
    def refuse(_):
        known = ", ".join(actions)
        hint = f"The actions are: {{known}}."
        raise _rf_SkillError("action-unknown", f"There is no action {{_rf_name!r}}.", hint)
    return refuse

def _rf_report(fraction, message=""):
    line = {{"progress": round(min(1.0, max(0.0, fraction)), 3), "message": message}}
    print(_rf_json.dumps(line), file=_rf_sys.stderr)

def _rf_variables():
    return dict(_rf_values)

class _RfAction:
    def run(self, main):
        _rf_run(main)
    def choose(self, actions):
        return _rf_choose(actions)

class _RfErrors:
    def SkillError(self, code, message, hint=None):
        return _rf_SkillError(code, message, hint)

class _RfProgress:
    def report(self, fraction, message=""):
        _rf_report(fraction, message)

class _RfVariables:
    def variables(self):
        return _rf_variables()

_rf_module_action = _RfAction()
_rf_module_errors = _RfErrors()
_rf_module_progress = _RfProgress()
_rf_module_variables = _RfVariables()
'''


def adapted(source: str) -> tuple[str, bool]:
    """A script that can run there, and whether it answers through the helper.

    Every line keeps its number. Only what `can_run` finds nothing against may be given.
    """
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    text, answers = source.encode(), False
    for node in reversed(imports_from(parsed(source), HELPER, ABSTRACT)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        breaks = b"\n" * text[begin:end].count(b"\n")
        text = text[:begin] + b"(None" + breaks + b"); " + _instead(node).encode() + text[end:]
        answers = answers or any(one.name in {"action", "run"} for one in node.names)
    return text.decode(), answers


def _instead(node: ast.ImportFrom) -> str:
    """The same names in the interpreter's own words."""
    if node.module == ABSTRACT:
        names = ", ".join(f"{one.name} as {one.asname}" if one.asname else one.name for one in node.names)
        return f"from typing import {names}"
    prefix = "_rf_module_" if node.module == HELPER else "_rf_"
    return "; ".join(f"{one.asname or one.name} = {prefix}{one.name}" for one in node.names)
