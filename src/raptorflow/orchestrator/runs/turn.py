"""One turn: from a user's message to its answer, step by step, each step in the journal before the next.

The transcript decides what comes next, so a turn goes on after a crash as it would have gone on without:

    the newest entry is the user's, or every call has its result    ask the model
    the newest answer has calls without a result                    make the first of them
    the newest answer calls nothing                                 it is the answer; done

A boundary commits a finished step and the beginning of the next one. What began and did not end before a
worker died has an unknown outcome: a model is asked again and a call without reach outside its sandbox is
made again; any other call is not repeated, and model and user are told so.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TypeVar

from opentelemetry.trace import Tracer
from pydantic_ai.messages import ModelResponse, ToolCallPart

from raptorflow.base.clock import Stopwatch
from raptorflow.base.errors import RaptorFlowError
from raptorflow.base.json import JsonObject, dumps
from raptorflow.core.telemetry import logger, tracer
from raptorflow.orchestrator.context.entries import Entry, printable, without_nul
from raptorflow.orchestrator.context.prompt import build_prompt
from raptorflow.orchestrator.context.tokens import cut
from raptorflow.orchestrator.context.transcript import (
    is_answered,
    open_calls,
    response_content,
    with_unique_calls,
)
from raptorflow.orchestrator.errors import (
    JournalUnavailable,
    LeaseLost,
    ModelFailed,
    RunAbandoned,
    TooManySteps,
    TrialFailed,
)
from raptorflow.orchestrator.events import (
    NewEvent,
    custom,
    message_id,
    run_cancelled,
    run_error,
    run_finished,
    run_started,
    step_finished,
    step_started,
    text_ended,
    tool_called,
    tool_result,
)
from raptorflow.orchestrator.language_models.asking import Answer, Asks
from raptorflow.orchestrator.metrics import MODEL_TOKENS, STEP_SECONDS
from raptorflow.orchestrator.runs.journal import Journal
from raptorflow.orchestrator.runs.live import LiveRun
from raptorflow.orchestrator.runs.records import (
    Boundary,
    Committed,
    Ending,
    FinishedStep,
    NewFile,
    NewMessage,
    StartedStep,
    StepKind,
    TakenRun,
)
from raptorflow.orchestrator.settings import OrchestratorSettings
from raptorflow.orchestrator.tools.outcome import ToolOutcome
from raptorflow.orchestrator.tools.toolbox import Toolbox

log = logger(__name__)
spans: Tracer = tracer(__name__)
T = TypeVar("T")

UNEXPECTED = RaptorFlowError.code
UNEXPECTED_HINT = "Search the worker's log for the run's id."
UNKNOWN = "The outcome of this call is unknown: the worker died while it ran. It was not made again."


@dataclass(frozen=True)
class Step:
    """What is to be done next. `again`: an earlier attempt began it and did not finish."""

    index: int
    kind: StepKind
    name: str
    call: ToolCallPart | None = None
    again: bool = False

    def begun(self) -> StartedStep:
        """As the journal notes its beginning."""
        return StartedStep(self.index, self.kind, self.name, _input(self.call))


@dataclass
class _Done:
    """What a step came to."""

    finished: FinishedStep
    messages: list[NewMessage] = field(default_factory=list[NewMessage])
    events: list[NewEvent] = field(default_factory=list[NewEvent])
    files: list[NewFile] = field(default_factory=list[NewFile])


class Cancelled(Exception):
    """The user ended the run."""


class Turn:
    """One run, while this worker has it.

    Args:
        run: what was taken.
        journal: where boundaries go.
        live: where clients listen.
        asker: the model.
        toolbox: the run's tools.
        settings: budgets.
    """

    def __init__(
        self,
        run: TakenRun,
        journal: Journal,
        live: LiveRun,
        asker: Asks,
        toolbox: Toolbox,
        settings: OrchestratorSettings,
    ) -> None:
        self._run = run
        self._journal = journal
        self._live = live
        self._asker = asker
        self._toolbox = toolbox
        self._settings = settings
        self._entries = list(run.turn_entries)
        self._seq = run.last_seq
        self._usage: JsonObject = dict(run.usage)
        self._state = toolbox.active
        self._cancelled = run.cancel_requested
        self._work: asyncio.Task[_Done] | None = None
        self.more_waiting = False

    def cancel(self) -> None:
        """End the run as soon as what is being committed is committed."""
        self._cancelled = True
        if self._work:
            self._work.cancel()

    def opening(self) -> tuple[Boundary, Step]:
        """The commit that goes with taking the run, and its first step."""
        step = self._next_step()
        first = self._run.attempt == 1
        resumed: JsonObject = {"attempt": self._run.attempt, "stepName": f"{step.index} {step.name}"}
        events = [_started(self._run)] if first else [custom("run-resumed", resumed)]
        if not step.again:
            events.append(step_started(step.index, step.kind, step.name))
        boundary = self._boundary(events, started=step.begun())
        # A trial asks no model.
        boundary.model = None if self._run.call else self._asker.name
        return boundary, step

    def opened(self, boundary: Boundary) -> None:
        """The opening is committed."""
        self._told(boundary)

    async def play(self, step: Step) -> str:
        """Go through to the end; returns how it ended: succeeded, failed or cancelled.

        Raises:
            LeaseLost: another worker has the run.
            JournalUnavailable: PostgreSQL does not answer; the run is left to its lease.
        """
        try:
            return await self._play(step)
        except Cancelled:
            ending = Ending("cancelled", self._usage)
            event = run_cancelled()
        except (LeaseLost, JournalUnavailable):
            raise
        except TrialFailed as error:
            ending = Ending("failed", self._usage, {"code": error.tool_code, "message": error.message})
            event = run_error(error.tool_code, error.message, error.hint)
        except RaptorFlowError as error:
            log.warning("run failed", code=error.code, error=error.message)
            ending = Ending("failed", self._usage, {"code": error.code, "message": error.message})
            event = run_error(error.code, error.message, error.hint)
        except Exception as error:
            log.error("run failed unexpectedly", exc_info=error)
            ending = Ending("failed", self._usage, {"code": UNEXPECTED, "message": type(error).__name__})
            event = run_error(UNEXPECTED, "The run failed in a way it did not expect.", UNEXPECTED_HINT)
        await self._commit(self._boundary([event], ending=ending))
        return ending.status

    async def _play(self, step: Step) -> str:
        opened = await self._toolbox.open()
        while True:
            self._check(step)
            done = await self._interruptible(self._perform(step))
            done.events[:0], opened = opened, []
            self._note(done)
            if is_answered(self._entries):
                done.events.append(run_finished(self._usage))
                await self._commit(self._closing(done, ending=Ending("succeeded", self._usage)))
                return "succeeded"
            step = self._next_step(after=step.index)
            done.events.append(step_started(step.index, step.kind, step.name))
            await self._commit(self._closing(done, started=step.begun()))

    async def _interruptible(self, work: Coroutine[None, None, "_Done"]) -> _Done:
        """Do a step so that `cancel` ends it, and only it: never a commit."""
        self._work = asyncio.create_task(work)
        try:
            return await self._work
        except asyncio.CancelledError:
            if not self._cancelled:
                self._work.cancel()
                raise
            raise Cancelled from None
        finally:
            self._work = None

    async def _perform(self, step: Step) -> _Done:
        watch = Stopwatch()
        try:
            return await (self._call_tool(step, step.call) if step.call else self._ask_model(step))
        finally:
            STEP_SECONDS.labels(step.kind).observe(watch.elapsed_ms() / 1000)

    async def _ask_model(self, step: Step) -> _Done:
        watch, settings = Stopwatch(), self._settings
        prompt = build_prompt(
            self._run.history,
            self._entries,
            self._toolbox.skills(),
            budget=settings.context_tokens,
            system_text=settings.system_text,
        )
        tools = self._toolbox.definitions()
        position = len(self._entries)
        text = self._live.writing(message_id(self._run.ref.run_id, position))
        with spans.start_as_current_span(f"chat {step.name}") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.request.model", step.name)
            try:
                answer = await self._asker.ask(prompt.messages, tools, text)
            finally:
                text.close()
            span.set_attribute("gen_ai.usage.input_tokens", answer.response.usage.input_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", answer.response.usage.output_tokens)
        _check_not_empty(answer.response, step.name)
        response = with_unique_calls(answer.response, self._entries)
        self._count(answer, step.name)
        timings: JsonObject = {"model_ms": watch.elapsed_ms(), "first_event_ms": answer.first_event_ms}
        facts: JsonObject = {"requests": answer.requests, "prompt_tokens": prompt.tokens}
        facts |= {"turns_left_out": prompt.left_out} if prompt.left_out else {}
        events = self._answer_events(response, answer.text, position, text.generation)
        events.append(_ended(step, facts, timings))
        message = NewMessage(position, "assistant", response_content(response))
        return _Done(FinishedStep(step.index, "finished", facts, timings), [message], events)

    def _answer_events(
        self, response: ModelResponse, text: str, position: int, generation: int
    ) -> list[NewEvent]:
        message = message_id(self._run.ref.run_id, position)
        events = [text_ended(message, text, generation)] if text else []
        for part in response.parts:
            if isinstance(part, ToolCallPart):
                events += tool_called(part.tool_call_id, part.tool_name, part.args_as_json_str(), message)
        return events

    async def _call_tool(self, step: Step, call: ToolCallPart) -> _Done:
        watch = Stopwatch()
        unknown: list[NewEvent] = []
        with spans.start_as_current_span(f"execute_tool {step.name}") as span:
            span.set_attribute("gen_ai.operation.name", "execute_tool")
            span.set_attribute("gen_ai.tool.name", step.name)
            repeatable = self._toolbox.repeatable(step.name)
            if step.again:
                told = {"stepName": f"{step.index} {step.name}", "name": step.name, "repeated": repeatable}
                unknown.append(custom("step-unknown", told))
            if step.again and not repeatable:
                outcome = ToolOutcome(UNKNOWN, "unknown")
            else:
                outcome = await self._toolbox.call(step.name, call.args)
            if skill := outcome.facts.get("skill"):
                span.set_attribute("gen_ai.skill.name", str(skill))
        return self._tool_done(step, call, outcome, unknown, watch.elapsed_ms())

    def _tool_done(
        self, step: Step, call: ToolCallPart, outcome: ToolOutcome, unknown: list[NewEvent], ms: float
    ) -> _Done:
        position = len(self._entries)
        content = printable(cut(outcome.content, self._settings.tool_result_tokens))
        entry = {"tool_call_id": call.tool_call_id, "tool_name": call.tool_name, "content": content}
        timings = {"tool_ms": ms, **outcome.timings}
        facts = without_nul({"status": outcome.status, **outcome.facts})
        told = {key: value for key, value in facts.items() if key != "output"}
        events = [
            *unknown,
            tool_result(call.tool_call_id, message_id(self._run.ref.run_id, position), content),
            *outcome.events,
            _ended(step, told, timings),
        ]
        finished = FinishedStep(step.index, outcome.step_status, facts, timings)
        return _Done(finished, [NewMessage(position, "tool", entry)], events, list(outcome.files))

    def _next_step(self, after: int | None = None) -> Step:
        """The transcript's next step; the one that an earlier attempt left open keeps its number."""
        left = self._run.steps[-1] if after is None and self._run.steps else None
        again = left is not None and left.status == "started"
        index = left.index + (not again) if left else (0 if after is None else after + 1)
        calls = open_calls(self._entries)
        if calls:
            return Step(index, "tool", calls[0].tool_name, calls[0], again)
        return Step(index, "model", self._asker.name, None, again)

    def _note(self, done: _Done) -> None:
        for message in done.messages:
            self._entries.append(Entry(self._run.turn, message.position, message.role, message.content))

    def _closing(
        self, done: _Done, *, started: StartedStep | None = None, ending: Ending | None = None
    ) -> Boundary:
        boundary = self._boundary(done.events, started=started, ending=ending)
        boundary.finished, boundary.messages, boundary.files = done.finished, done.messages, done.files
        return boundary

    def _boundary(
        self,
        events: list[NewEvent],
        *,
        started: StartedStep | None = None,
        ending: Ending | None = None,
    ) -> Boundary:
        state = None
        if self._toolbox.active != self._state:
            self._state = self._toolbox.active
            state = self._state.state()
        return Boundary(self._run, self._seq + 1, events=events, started=started, ending=ending, state=state)

    async def _commit(self, boundary: Boundary) -> Committed:
        # A commit is never cut in half by a cancellation; the worker's own end may still abandon it.
        committed = await self._journal.commit(boundary)
        self._told(boundary)
        self.more_waiting = committed.more_waiting
        self._cancelled = self._cancelled or committed.cancel_requested
        return committed

    def _told(self, boundary: Boundary) -> None:
        self._seq = boundary.last_seq
        self._live.committed(boundary.first_seq, boundary.events)

    def _check(self, step: Step) -> None:
        if self._cancelled:
            raise Cancelled
        if self._run.attempt > self._settings.max_attempts:
            raise RunAbandoned(f"{self._run.attempt - 1} workers died over this run; it is given up.")
        if step.index >= self._settings.max_steps:
            raise TooManySteps(f"The run did not come to an end within {self._settings.max_steps} steps.")

    def _count(self, answer: Answer, model: str) -> None:
        if self._run.call:
            return
        usage = answer.response.usage
        for direction, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            MODEL_TOKENS.labels(model, direction).inc(tokens)
            key = f"{direction}_tokens"
            self._usage[key] = self._usage.get(key, 0) + tokens
        self._usage["requests"] = self._usage.get("requests", 0) + 1
        if answer.cost:
            self._usage["cost_microusd"] = self._usage.get("cost_microusd", 0) + answer.cost.microusd


def _check_not_empty(response: ModelResponse, model: str) -> None:
    if not any(getattr(part, "content", "") or isinstance(part, ToolCallPart) for part in response.parts):
        raise ModelFailed(f"{model} gave an empty answer ({response.finish_reason or 'no reason given'}).")


def _started(run: TakenRun) -> NewEvent:
    replaces = str(run.replaces) if run.replaces else None
    return run_started(run.ref, run.asked, {"turn": run.turn, "replaces": replaces})


def _ended(step: Step, facts: JsonObject, timings: JsonObject) -> NewEvent:
    return step_finished(step.index, step.kind, step.name, {**facts, "timings": timings})


def _input(call: ToolCallPart | None) -> JsonObject | None:
    if call is None:
        return None
    return {"tool_call_id": call.tool_call_id, "arguments": dumps(call.args).replace("\\u0000", " ")}
