"""A run's events, from lines of an event stream to the answer; pure, the same for both clients.

The rules are those of the server's events: numbered ones count once and in order, live ones may be lost.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from raptorflow_sdk.errors import RunFailed, ServerUnreachable

Event = dict[str, Any]
LAST = {"RUN_FINISHED", "RUN_ERROR"}
FAILED_STATUS = 500
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Artifact:
    """A file that an action made.

    Attributes:
        url: where its bytes are, below the server's URL.
        size: in bytes.
    """

    name: str
    url: str
    size: int


@dataclass
class Answer:
    """What became of a question, as far as its events have told.

    Attributes:
        text: the whole answer.
        skills: the skills that were loaded, by name, each with its version.
        events: every numbered event.
        finished: whether the last event has come.
    """

    session_id: UUID
    run_id: UUID
    text: str = ""
    skills: dict[str, str] = field(default_factory=dict[str, str])
    artifacts: list[Artifact] = field(default_factory=list[Artifact])
    events: list[Event] = field(default_factory=list[Event])
    finished: bool = False

    def take(self, event: Event) -> bool:
        """Apply an event; False for one that was there already.

        Raises:
            RunFailed: it says that the run failed.
        """
        number = event.get("seq")
        if number is None:
            return True
        if number <= self.last_number:
            return False
        self.events.append(event)
        kind = event["type"]
        if kind == "TEXT_MESSAGE_END":
            self.text = event["content"] or self.text
        elif kind == "STEP_FINISHED":
            self._step(event)
        elif kind == "RUN_ERROR":
            raise RunFailed(event, FAILED_STATUS)
        self.finished = kind in LAST
        return True

    @property
    def last_number(self) -> int:
        """The greatest number applied; 0 before the first."""
        return self.events[-1]["seq"] if self.events else 0

    def _step(self, event: Event) -> None:
        if event.get("name") == "load_skill" and event.get("skill"):
            self.skills[event["skill"]] = event["version"]
        for made in event.get("artifacts", []):
            self.artifacts.append(Artifact(made["name"], made["url"], made["size"]))


def event_of(line: str) -> Event | None:
    """The event on a line of `text/event-stream`; None for a line that has none."""
    return json.loads(line[len("data:") :]) if line.startswith("data:") else None


class Pauses:
    """How long to wait before going on with a stream that broke: ever longer, then no more."""

    def __init__(self) -> None:
        self.silence = ServerUnreachable("The stream ended before the answer did.")
        self._seconds = iter(PAUSES)

    def next(self) -> float:
        """The next pause in seconds; raises the silence when there is none left."""
        seconds = next(self._seconds, None)
        if seconds is None:
            raise self.silence
        return seconds
