"""Progress of a start in the terminal: a spinner while a stage runs, then one line with its time."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console

from raptorflow.base.clock import Stopwatch


class Stages:
    """Shows stages one after the other; on a plain pipe the finished lines alone.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def stage(self, title: str) -> Generator[None]:
        """Show a stage while the block runs."""
        watch = Stopwatch()
        try:
            with self._console.status(f"{title} ..."):
                yield
        except BaseException:
            self._line("[red]✗[/red]", title, watch)
            raise
        self._line("[green]✓[/green]", title, watch)

    def report(self, sentence: str) -> None:
        """Show something that happened on its own, such as a crash."""
        self._console.print("[yellow]![/yellow] ", end="")
        self._console.print(sentence, markup=False)

    def _line(self, mark: str, title: str, watch: Stopwatch) -> None:
        self._console.print(f"{mark} {title} [dim]({watch.elapsed_ms() / 1000:.1f} s)[/dim]")
