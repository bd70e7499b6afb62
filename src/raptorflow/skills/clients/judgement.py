"""What a client does with a skill, and why."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["loads", "warns", "skips"]


@dataclass(frozen=True)
class Judgement:
    """A client's outcome.

    Attributes:
        outcome: loads it as it is, loads it in another way than it says (or with a warning), or skips it.
        reasons: why, each a phrase; empty when it loads.
    """

    outcome: Outcome
    reasons: tuple[str, ...] = ()


def skips(reason: str) -> Judgement:
    """It is not there for the client's user."""
    return Judgement("skips", (reason,))


def loads(*reasons: str | None) -> Judgement:
    """It is there; with reasons, not quite as its author wrote it."""
    given = tuple(reason for reason in reasons if reason)
    return Judgement("warns", given) if given else Judgement("loads")
