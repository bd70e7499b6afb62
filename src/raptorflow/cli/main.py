"""The `raptorflow` command: finds the command, loads its module only then, and shows errors as one line."""

import sys
import traceback
from importlib.metadata import version

from cyclopts import App
from rich.console import Console
from rich.text import Text

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import dumps
from raptorflow.skills.text import printable

app = App(
    name="raptorflow",
    help="Write, publish, find and run agent skills you can trust.",
    version=version("raptorflow"),
)
app.command("raptorflow.cli.run:run", name="run", help="Start RaptorFlow: database, server and worker.")
app.command("raptorflow.cli.ask:ask", name="ask", help="Ask a question, with a file of your own.")
app.command("raptorflow.cli.demo:demo", name="demo", help="The same without a server: starts what it needs.")
app.command(
    "raptorflow.cli.skill.app:skill_app", name="skill", help="Write, check, test, sign and share a skill."
)
app.command(
    "raptorflow.cli.sandbox.app:sandbox_app", name="sandbox", help="Check sandboxes, and attack them."
)
app.command("raptorflow.cli.doctor:doctor", name="doctor", help="What this machine has and lacks.")

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # as `cli.signals` has it, which not every command needs


class Unexpected(RaptorFlowError):
    """Something failed that nobody has thought of."""

    code = "unexpected"
    default_hint = "It is a defect of RaptorFlow: report it with the lines above."


def main() -> None:
    """Run the command line; exit 1 with the error's sentence and its remedy when it fails."""
    try:
        app()
    except RaptorFlowError as error:
        show_error(error, as_json=_wants_json())
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        traceback.print_exception(error)
        show_error(Unexpected(f"{type(error).__name__}: {error}"), as_json=_wants_json())
        sys.exit(EXIT_FAILED)


def _wants_json() -> bool:
    return any(word.partition("=")[0] == "--json" for word in sys.argv)


def show_error(error: RaptorFlowError, *, as_json: bool) -> None:
    """Print an error: one JSON object on stdout, or the fact and its remedy on stderr."""
    if as_json:
        print(dumps({"error": error.problem()}))
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    # A server's words are among them, and a terminal would obey what it is sent.
    code = printable(str(error.problem()["code"]))
    console.print(Text.assemble(("error", "red"), (f" ({code})", "dim"), ": ", printable(error.message)))
    if error.hint:
        console.print(Text.assemble(("hint:", "dim"), " ", printable(error.hint)))


if __name__ == "__main__":
    main()
