"""Verdicts in the terminal. Evidence may quote what a guest said, so it goes in as text, never as markup."""

from typing import Any

from rich.text import Text

from raptorflow.sandbox.attacks.runner import Verdict

MARKS: dict[str, tuple[str, str]] = {
    "held": ("✓", "green"),
    "unexpected": ("✗", "bold red"),
    "not_applicable": ("-", "dim"),
    "not_run": ("?", "yellow"),
}
WORDS = {"not_applicable": "does not apply", "not_run": "was not tried"}


def verdict_line(verdict: Verdict) -> Text:
    """One attack in a line; two when something is wrong."""
    mark, style = MARKS[verdict.state]
    line = Text(f"{mark} {verdict.attack_id:<4}", style).append(f"{verdict.title:<42}", "bold")
    line.append(f"{verdict.outcome or WORDS[verdict.state]}", style)
    line.append(f"  {verdict.evidence}", "dim")
    if verdict.state == "unexpected":
        line.append(f"\n      expected: {', '.join(verdict.expected)}", "red")
    if verdict.control is False:
        line.append(f"\n      its control is dead: {verdict.control_evidence}", "red")
    return line


def counts_line(counts: dict[str, Any]) -> Text:
    """The last line."""
    bad = counts["unexpected"] or counts["controls_dead"]
    words = (
        f"{counts['driver']}: {counts['attacks']} attacks, {counts['unexpected']} unexpected, "
        f"{counts['controls_dead']} controls dead, {counts['not_applicable']} do not apply, "
        f"{counts['not_run']} not tried, {counts['seconds']} s"
    )
    return Text(words, "bold red" if bad else "bold green")
