"""A turn in the terminal: each step as it happens, the answer as it is written, a table at the end."""

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from raptorflow.base.json import JsonObject
from raptorflow.cli.story import Story


class Screen:
    """Shows a turn; silent when a program reads the output.

    Args:
        console: where to write.
        quiet: show nothing.
    """

    def __init__(self, console: Console, *, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._written = ""
        self._message: str | None = None
        self._waiting: Progress | None = None

    def wait(self, what: str) -> None:
        """Say what is being waited for; a clock beside it goes on while the words change."""
        if self._quiet:
            return
        if self._waiting is None:
            columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
            self._waiting = Progress(*columns, console=self._console, transient=True)
            self._waiting.add_task(what)
            self._waiting.start()
        self._waiting.update(self._waiting.task_ids[0], description=what)

    def stop_waiting(self) -> None:
        """Take the spinner away."""
        if self._waiting:
            self._waiting.stop()
            self._waiting = None

    def line(self, text: str) -> None:
        """Show a step that is done."""
        if not self._quiet:
            self._console.print("[green]✓[/green] ", end="")
            self._console.print(text, markup=False)

    def text(self, event: JsonObject) -> None:
        """Write the answer as it comes; the final snapshot adds what was lost on the way."""
        if self._quiet:
            return
        kind, message = event["type"], event.get("messageId")
        if kind == "TEXT_MESSAGE_START":
            self._begin(message)
        elif kind == "TEXT_MESSAGE_CONTENT" and event["offset"] == len(self._written):
            self._write(str(event["delta"]))
        elif kind == "TEXT_MESSAGE_END" and event["content"]:
            if message != self._message or not str(event["content"]).startswith(self._written):
                self._begin(message)
            self._write(str(event["content"])[len(self._written) :])
            self._console.print("\n")

    def summary(self, story: Story) -> None:
        """The table of what happened."""
        if self._quiet:
            return
        table = Table(title="What happened", title_justify="left", title_style="bold", show_edge=False)
        table.add_column("step")
        table.add_column("what", overflow="fold")
        table.add_column("ms", justify="right")
        for row in story.rows:
            table.add_row(row.step, row.what, f"{row.ms:,.1f}")
        self._console.print(table)
        for name in story.unused_files:
            self._console.print("[yellow]![/yellow] ", end="")
            self._console.print(f"{name} was not read: what ran takes other files.", markup=False)
        for artifact in story.artifacts:
            self._console.print(f"\n[bold]{artifact['name']}[/bold]  {artifact['size']:,} bytes", end="  ")
            self._console.print(str(artifact.get("path", "")), markup=False)

    def _begin(self, message: object) -> None:
        self.stop_waiting()
        self._console.print()
        self._message, self._written = str(message), ""

    def _write(self, text: str) -> None:
        self._written += text
        self._console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
