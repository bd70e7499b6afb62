"""The `raptorflow` command: finds the command, loads its module only then, and shows errors as one line."""

import sys
from importlib.metadata import version

from cyclopts import App
from rich.console import Console

from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import dumps

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
app.command("raptorflow.cli.doctor:doctor", name="doctor", help="What this machine has and lacks.")

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130  # as `cli.signals` has it, which not every command needs


def main() -> None:
    """Run the command line; exit 1 with the error's sentence and its remedy when it fails."""
    try:
        app()
    except RaptorFlowError as error:
        show_error(error, as_json="--json" in sys.argv)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def show_error(error: RaptorFlowError, *, as_json: bool) -> None:
    """Print an error: one JSON object on stdout, or the fact and its remedy on stderr."""
    if as_json:
        print(dumps({"error": error.problem()}))
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"[red]error[/red] [dim]({error.problem()['code']})[/dim]: ", end="")
    console.print(error.message, markup=False)
    if error.hint:
        console.print("[dim]hint:[/dim] ", end="")
        console.print(error.hint, markup=False)


if __name__ == "__main__":
    main()
