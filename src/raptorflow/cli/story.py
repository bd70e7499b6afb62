"""What happened in a turn, told from its events: lines for the terminal, a table, and the `--json` object.

Pure: events in, facts out. Only numbered events count (see the orchestrator's `events.py`), so a lost delta
changes nothing that is reported.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from raptorflow.base.json import JsonObject

ACTION_MARK = "__"


@dataclass(frozen=True)
class Row:
    """A line of the table at the end."""

    step: str
    what: str
    ms: float


@dataclass
class Story:
    """The facts of one run, as far as its events have told them."""

    answer: str = ""
    skill: str | None = None
    version: str | None = None
    search_ms: float | None = None
    load_ms: float | None = None
    sandbox: JsonObject | None = None
    error: JsonObject | None = None
    finished: bool = False
    artifacts: list[JsonObject] = field(default_factory=list[JsonObject])
    rows: list[Row] = field(default_factory=list[Row])
    events: list[JsonObject] = field(default_factory=list[JsonObject])

    def take(self, event: JsonObject) -> str | None:
        """Apply one event; a line worth showing at once, or None."""
        if "seq" not in event or event["seq"] <= len(self.events):
            return None
        self.events.append(event)
        teller = _TELLERS.get(str(event["type"]))
        return teller(self, event) if teller else None

    def report(self) -> JsonObject:
        """The object that `--json` prints."""
        document: JsonObject = {
            "answer": self.answer,
            "skill": self.skill,
            "version": self.version,
            "search_ms": self.search_ms,
            "load_ms": self.load_ms,
            "sandbox": self.sandbox,
            "artifacts": self.artifacts,
            "events": self.events,
        }
        return document | ({"error": self.error} if self.error else {})

    def step_finished(self, event: JsonObject) -> str | None:
        """A model's or a tool's step is over."""
        name, timings = str(event["name"]), event.get("timings", {})
        if event["kind"] == "model":
            self.rows.append(Row("model", name, timings.get("model_ms", 0.0)))
            return None
        ms = float(timings.get("tool_ms", 0.0))
        if event.get("status") != "ok" and "sandbox" not in event:
            self.rows.append(Row("tool", f"{name}: {event.get('status')}", ms))
            return None
        if name == "search_skills":
            return self._searched(event, ms)
        if name == "load_skill":
            return self._loaded(event, ms)
        if ACTION_MARK in name:
            return self._acted(event, ms)
        self.rows.append(Row("tool", name, ms))
        return None

    def text_ended(self, event: JsonObject) -> None:
        """A message is whole; the last one is the answer."""
        self.answer = str(event["content"])

    def run_ended(self, event: JsonObject) -> None:
        """The run is over, well or not."""
        self.finished = True
        if event["type"] == "RUN_ERROR":
            self.error = {key: event[key] for key in ("code", "message", "hint") if key in event}

    def _searched(self, event: JsonObject, ms: float) -> str:
        self.search_ms = event["timings"].get("search_ms", ms)
        self.rows.append(Row("search", f"{event.get('found', 0)} skills found", ms))
        return f"Searched the skills: {event.get('found', 0)} found ({ms:.0f} ms)"

    def _loaded(self, event: JsonObject, ms: float) -> str:
        self.skill, self.version = event["skill"], event["version"]
        self.load_ms = event["timings"].get("load_ms", ms)
        self.rows.append(Row("load", f"{self.skill} {self.version}", ms))
        return f"Loaded {self.skill} {self.version} ({ms:.0f} ms)"

    def _acted(self, event: JsonObject, ms: float) -> str:
        sandbox: JsonObject = event.get("sandbox") or {}
        self.sandbox = sandbox
        self.artifacts += event.get("artifacts", [])
        held = f"{sandbox.get('driver')} sandbox, {sandbox.get('status')}"
        if sandbox.get("weakened"):
            held += f", only supervised: {', '.join(sandbox['weakened'])}"
        action = f"{event.get('skill')} {event.get('action')}"
        self.rows.append(Row("run", f"{action} ({held})", ms))
        return f"Ran {action}: {held} ({ms:.0f} ms)"


_TELLERS: dict[str, Callable[[Story, JsonObject], str | None]] = {
    "STEP_FINISHED": Story.step_finished,
    "TEXT_MESSAGE_END": Story.text_ended,
    "RUN_FINISHED": Story.run_ended,
    "RUN_ERROR": Story.run_ended,
}
