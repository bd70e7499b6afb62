"""The comparison in plain words."""

from collections.abc import Sequence
from typing import Protocol

from chosen import SIGNIFICANT
from naming import plain
from roles import Roles
from significance import Group

FEW_ROWS = 10
MOST_NAMED = 5
LONGEST_NAME = 60
ABOUT_THE_LAST = (
    "worst",
    "weakest",
    "less budget",
    "cut",
    "stop",
    "pause",
    "drop",
    "schlechteste",
    "weniger",
)


class Entry(Protocol):
    """A group with its interval and the p-value of the leader's lead over it."""

    @property
    def group(self) -> Group:
        """What is compared."""
        ...

    @property
    def low(self) -> float | None:
        """The lower end of its interval."""
        ...

    @property
    def high(self) -> float | None:
        """The upper end of its interval."""
        ...

    @property
    def p_value(self) -> float | None:
        """Of the leader's lead over it."""
        ...


def measure_name(roles: Roles) -> str:
    """What is compared."""
    return f"{roles.metric} per {roles.base}" if roles.base else f"mean {roles.metric}"


def answer(entries: Sequence[Entry], roles: Roles, method: str, question: str) -> str:
    """Two to four plain sentences."""
    if method == "none":
        return _descriptive(entries, roles)
    best, second = entries[0], entries[1]
    others = [entry for entry in entries[1:] if entry.p_value is not None]
    lead = f"{_value(best, roles)}{_factor(best, others)}{_span(best)}"
    established = [entry for entry in others if _is_established(entry)]
    if _is_established(second):
        advice = "should get more budget: it brings" if roles.base_is_cost else f"{_has(roles)}:"
        said = [
            f"{_name(best)} {advice} {lead}.",
            f"Its lead over the next, {_name(second)} ({number(second.group.score)}), is significant "
            f"({p_text(second.p_value)}).",
        ]
    else:
        said = [
            f"{_name(best)} {_has(roles)}: {lead}.",
            f"Its lead over {_name(second)} ({number(second.group.score)}) is not established "
            f"({p_text(second.p_value)}).",
            _beaten(established),
        ]
    last = others[-1]
    wants_last = any(word in plain(question) for word in ABOUT_THE_LAST)
    if len(others) > 1 and (wants_last or (_is_established(second) and roles.base_is_cost)):
        doubt = "" if _is_established(last) else ", which may be chance"
        said.append(f"{_name(last)} comes last ({number(last.group.score)}){doubt}.")
    elif roles.additive and not roles.base and not roles.lower_is_better:
        said.append(_by_total(entries, roles))
    said.append(_costs_missing(roles))
    return " ".join(sentence for sentence in said if sentence)


def caveats(entries: Sequence[Entry], roles: Roles, method: str) -> list[str]:
    """What a careful reader should know of the statistics."""
    notes: list[str] = []
    small = [_name(entry) for entry in entries if entry.p_value is not None and entry.group.rows < FEW_ROWS]
    if method == "rows" and (small or entries[0].group.rows < FEW_ROWS):
        names = [_name(entry) for entry in entries if entry.low is not None and entry.group.rows < FEW_ROWS]
        notes.append(f"Fewer than {FEW_ROWS} rows, so little certainty: {listed(names)}.")
    if method == "counts":
        notes.append(
            "One row a group: the test assumes separate events; real figures vary more from day to day."
        )
    if method == "rows":
        notes.append("Rows are taken as independent; what happened together in time is not.")
    if roles.base_is_cost:
        notes.append(f"More {roles.base} may bring less than the average so far did.")
    return notes


def number(value: float) -> str:
    """A number as a person reads it."""
    if abs(value) >= 1e15:
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def p_text(p_value: float | None) -> str:
    """A p-value in words."""
    if p_value is None:
        return "not tested"
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _descriptive(entries: Sequence[Entry], roles: Roles) -> str:
    best, second = entries[0], entries[1]
    return (
        f"{_name(best)} {_has(roles)}: {_value(best, roles)}, before {_name(second)} "
        f"({number(second.group.score)}). The groups have too few rows to tell whether that is more than "
        f"chance. Rows by day or week would allow a test. {_costs_missing(roles)}"
    ).rstrip()


def _costs_missing(roles: Roles) -> str:
    return "No column says what each cost, so costs are left out of this." if roles.cost_missing else ""


def _is_established(entry: Entry) -> bool:
    return entry.p_value is not None and entry.p_value < SIGNIFICANT


def _has(roles: Roles) -> str:
    return f"has the {'lowest' if roles.lower_is_better else 'highest'} {measure_name(roles)}"


def _value(entry: Entry, roles: Roles) -> str:
    score = number(entry.group.score)
    if not roles.base:
        return score
    said = f"{score} {roles.metric} per 1 {roles.base}"
    if roles.base_is_cost and roles.counts_events and entry.group.total > 0:
        said += f" ({number(entry.group.base / entry.group.total)} {roles.base} each)"
    return said


def _factor(best: Entry, others: Sequence[Entry]) -> str:
    """How many times the others together."""
    total = sum(entry.group.total for entry in others)
    base = sum(entry.group.base for entry in others)
    together = total / base if base else 0.0
    if together <= 0 or best.group.score <= 0:
        return ""
    whom = "the others together" if len(others) > 1 else _name(others[0])
    factor = best.group.score / together
    times = f"{factor:,.1f}" if factor >= 2 else number(factor)
    return f", {times} times the {number(together)} of {whom}"


def _span(entry: Entry) -> str:
    if entry.low is None or entry.high is None:
        return ""
    return f" (95 % interval {number(entry.low)} to {number(entry.high)})"


def _beaten(established: Sequence[Entry]) -> str:
    if not established:
        return "There is no clear winner in this data."
    return f"It is significantly ahead of {listed([_name(entry) for entry in established])}."


def _by_total(entries: Sequence[Entry], roles: Roles) -> str:
    """Who has most in total, when means are compared."""
    largest = max(entries, key=lambda entry: entry.group.total)
    total = sum(entry.group.total for entry in entries)
    if (
        any(entry.group.total < 0 for entry in entries)
        or total <= 0
        or len({e.group.rows for e in entries}) == 1
    ):
        return ""
    share = largest.group.total / total
    return (
        f"In total {_name(largest)} has the most {roles.metric}: {number(largest.group.total)} ({share:.0%})."
    )


def listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def _name(entry: Entry) -> str:
    name = entry.group.name
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
