"""An interpreter that has started already, and waits to be told which program it is.

Starting Python takes longer than all else of a run in a sandbox that is kept ready; so that waits with it.
It runs as the program will, under the same limits and with the same rights. The first bytes of its standard
input are its orders (a length, then fields: the number of arguments, arguments, variables); what follows is
the program's own input.
"""

import os
import sys
from types import FunctionType, TracebackType

from . import wire

PROGRAM_ITSELF = "-c"
PACKAGE = "guest"
STANDARD_INPUT = 0


def main() -> None:
    """Wait for the orders, and be what they say."""
    _forget_the_agent()
    arguments, variables = _orders()
    os.environ.clear()
    os.environ.update(variables)
    if arguments[0] == PROGRAM_ITSELF:
        source, name, folder = arguments[1].encode(), "<string>", ""
        sys.argv = [PROGRAM_ITSELF, *arguments[2:]]
    else:
        name, folder = arguments[0], os.path.dirname(os.path.abspath(arguments[0]))
        sys.argv = arguments
        source = _content(name)
    sys.path[0] = folder
    sys.excepthook = _tell
    _become(source, name)


def _forget_the_agent() -> None:
    """The program must find its own modules and nothing of ours."""
    del sys.path[0]
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def _orders() -> tuple[list[str], dict[str, str]]:
    length = wire.FIELD.unpack(_exactly(wire.FIELD.size))[0]
    count, *words = (os.fsdecode(field) for field in wire.unpacked(_exactly(length)))
    arguments, settings = words[: int(count)], words[int(count) :]
    return arguments, dict(setting.split("=", 1) for setting in settings)


def _exactly(count: int) -> bytes:
    """So many bytes, and none of those behind them."""
    found = b""
    while len(found) < count:
        chunk = os.read(STANDARD_INPUT, count - len(found))
        if not chunk:
            # Nobody wants it any more.
            os._exit(0)
        found += chunk
    return found


def _content(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        sys.stderr.write(
            f"{sys.executable}: can't open file {os.path.abspath(name)!r}: "
            f"[Errno {error.errno}] {error.strerror}\n"
        )
        sys.exit(2)


def _become(source: bytes, name: str) -> None:
    """Run the program as the main module of this interpreter, as if it had been started with it."""
    module = sys.modules["__main__"]
    builtins = module.__dict__["__builtins__"]
    module.__dict__.clear()
    module.__dict__.update(
        {"__name__": "__main__", "__builtins__": builtins, "__doc__": None, "__package__": None,
         "__spec__": None, "__loader__": None}
    )  # fmt: skip
    if name != "<string>":
        module.__dict__["__file__"] = name
    FunctionType(compile(source, name, "exec"), module.__dict__)()


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An error's trace begins with the program's first frame, behind the last one of ours."""
    step = trace
    while step:
        if step.tb_frame.f_code.co_filename == __file__:
            trace = step.tb_next
        step = step.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)
