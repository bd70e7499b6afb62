"""Keeps what a script raises from crossing to the host whole: it is cut in the interpreter's own process.

An error's words have no bound but the script's memory, and its frames quote whole statements. So the script
is run inside of a `try`, and what it raises is told anew: its type and its words, without frames, and without
words when they are longer than all that may be printed. Those are printed instead, which ends the run.

An exception has one text there and no subclasses, and the one before it does not cross with it. The
interpreter's own limits are not caught. A script has no way to list the names that guard it, which are others
in each run.
"""

import io
import tokenize
from uuid import uuid4

from raptorflow.sandbox.drivers.monty.worker import Failure

_NO_STATEMENT = {tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


class Guard:
    """Around one run.

    Args:
        most: characters of an error's words at most.
    """

    def __init__(self, most: int) -> None:
        self._mark = f"_rf_{uuid4().hex}"
        self._most = most

    @property
    def prelude(self) -> str:
        """Defines it. Its words are its own: a script may give `len` another meaning."""
        return f"""
import sys as {self._mark}_sys
{self._mark}_every = BaseException
def {self._mark}(
    error, str=str, len=len, type=type, print=print, RuntimeError=RuntimeError, stderr={self._mark}_sys.stderr
):
    name, words = type(error).__name__, str(error)
    if len(words) > {self._most}:
        print(name + ": " + words[:{self._most}], file=stderr)
        words = ""
    raise RuntimeError("{self._mark}" + name + ":" + words) from None
"""

    def around(self, indented: str) -> str:
        """A script that `indented` has made ready, guarded."""
        mark = self._mark
        return f"try:\n{indented}\n None\nexcept {mark}_every as {mark}_error:\n {mark}({mark}_error)"

    def plain(self, failure: Failure) -> Failure:
        """A failure as the script has raised it."""
        if not failure.message.startswith(self._mark):
            return failure
        name, _, words = failure.message.removeprefix(self._mark).partition(":")
        return Failure(failure.kind, words, f"{name}: {words}" if words else name)


def indented(source: str) -> str:
    """A script with every statement one blank further to the right; what continues one stays as it is.

    Raises:
        SyntaxError: it cannot be read.
    """
    lines, begins = source.split("\n"), True
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.NEWLINE:
                begins = True
            elif begins and token.type not in _NO_STATEMENT:
                begins = False
                lines[token.start[0] - 1] = f" {lines[token.start[0] - 1]}"
    except tokenize.TokenError as error:
        raise SyntaxError(str(error)) from error
    return "\n".join(lines)
