"""What happened in a turn, told from its events: lines for the terminal, a table, and the `--json` object.

Pure: events in, facts out. Only numbered events count (see the orchestrator's `events.py`), so a lost delta
changes nothing that is reported.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from raptorflow.base.json import JsonObject, dumps

ACTION_MARK = "__"
DOING = {"search_skills": "Searching the skills ...", "load_skill": "Loading a skill ..."}


@dataclass(frozen=True)
class Row:
    """A line of the table at the end."""

    step: str
    what: str
    ms: float


@dataclass
class Story:
    """The facts of one run, as far as its events have told them.

    Attributes:
        files: the names of the files that came with the question.
        called: what tools were called with, as it was written.
    """

    files: list[str] = field(default_factory=list[str])
    called: str = ""
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

    def doing(self, event: JsonObject) -> str | None:
        """What a step that begins is about, for whoever waits; None when none begins."""
        if event["type"] == "STEP_FINISHED" and event["kind"] == "tool":
            return "Thinking ..."
        if event["type"] != "STEP_STARTED":
            return None
        name = str(event["name"])
        acting = f"Running {name.replace(ACTION_MARK, ' ')} ..." if ACTION_MARK in name else None
        return acting or DOING.get(name, "Thinking ...")

    @property
    def failed(self) -> bool:
        """Whether the run failed, or the last action that ran for it did."""
        return self.error is not None or (self.sandbox is not None and self.sandbox.get("status") != "ok")

    @property
    def unused_files(self) -> list[str]:
        """The files that no action was called with, once one was called with another of them."""
        used = {name for name in self.files if dumps(name) in self.called}
        return [name for name in self.files if name not in used] if used else []

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
        unused: JsonObject = {"unused_files": self.unused_files} if self.unused_files else {}
        return document | unused | ({"error": self.error} if self.error else {})

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

    def tool_called(self, event: JsonObject) -> None:
        """A tool was called with these arguments."""
        self.called += str(event["delta"])

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
    "TOOL_CALL_ARGS": Story.tool_called,
    "TEXT_MESSAGE_END": Story.text_ended,
    "RUN_FINISHED": Story.run_ended,
    "RUN_ERROR": Story.run_ended,
}
