/**
 * What each event does to a run. `applyEvent` is pure and keeps to the rules of docs/reference/events.md: numbered
 * events count once and in order, whatever is lost, repeated or reordered on the way; deltas only at their place.
 */
import type { Artifact, Failure, Json, StepFacts, StreamEvent } from "@/features/orchestrator/stream/events";
import {
  type Hit,
  hasEnded,
  isObject,
  type Part,
  type Run,
  type Step,
  type StepKind,
  stepsOf,
  type Text,
  textsOf,
} from "@/features/orchestrator/stream/run";

export const CANCELLED = "run-cancelled";

const KINDS: Record<string, StepKind> = {
  search_skills: "search",
  load_skill: "load",
  unload_skill: "unload",
  read_skill_file: "read",
};

/** The run after one more event. */
export function applyEvent(run: Run, event: StreamEvent): Run {
  if (event.seq === undefined) return hasEnded(run) ? run : live(run, event);
  if (event.seq <= run.last) return run;
  if (event.seq > run.last + 1) return { ...run, held: { ...run.held, [event.seq]: event } };
  let after = numbered({ ...run, last: event.seq, waiting: null }, event);
  for (let next = after.held[after.last + 1]; next; next = after.held[after.last + 1]) {
    after = numbered({ ...after, last: after.last + 1 }, next);
  }
  return withoutOld(after);
}

function withoutOld(run: Run): Run {
  const kept = Object.entries(run.held).filter(([seq]) => Number(seq) > run.last);
  return kept.length === Object.keys(run.held).length ? run : { ...run, held: Object.fromEntries(kept) };
}

function live(run: Run, event: StreamEvent): Run {
  switch (event.type) {
    case "TEXT_MESSAGE_START":
      return started(run, event.messageId);
    case "TEXT_MESSAGE_CONTENT":
      return appended(run, event.messageId, event.offset, event.delta);
    case "CUSTOM":
      return event.name === "model-waiting"
        ? { ...run, waiting: event.value as unknown as Run["waiting"] }
        : run;
    default:
      return run;
  }
}

function started(run: Run, id: string): Run {
  const known = textsOf(run).find((text) => text.id === id);
  if (known && !known.open) return run;
  const text: Text = { part: "text", id, text: "", length: 0, open: true };
  return { ...run, waiting: null, parts: known ? replaced(run.parts, text) : [...run.parts, text] };
}

function appended(run: Run, id: string, offset: number, delta: string): Run {
  const known = textsOf(run).find((text) => text.id === id);
  if (!known?.open || known.length !== offset) return run;
  const text = { ...known, text: known.text + delta, length: known.length + codePoints(delta) };
  return { ...run, parts: replaced(run.parts, text) };
}

function numbered(run: Run, event: StreamEvent): Run {
  switch (event.type) {
    case "RUN_STARTED":
      return begun(run, event.input);
    case "RUN_FINISHED":
      return { ...run, status: "succeeded", usage: event.usage ?? {} };
    case "RUN_ERROR":
      return failed(run, event);
    case "TEXT_MESSAGE_END":
      return ended(run, event.messageId, event.content);
    case "STATE_SNAPSHOT":
      return { ...run, skills: event.snapshot.skills ?? [] };
    case "CUSTOM":
      return noticed(run, event.name, event.value);
    case "STEP_STARTED":
      return stepBegun(run, event.stepName, event.kind, event.name);
    case "STEP_FINISHED": {
      const { type, runId, threadId, seq, stepName, kind, name, ...facts } = event;
      return stepEnded(run, stepName, facts);
    }
    default:
      return called(run, event);
  }
}

type Input = Extract<StreamEvent, { type: "RUN_STARTED" }>["input"];

function begun(run: Run, input: Input): Run {
  if (!input) return { ...run, status: "running" };
  const { turn, files, replaces } = input.forwardedProps;
  const asked = input.messages.find((message) => message.role === "user");
  return {
    ...run,
    status: "running",
    turn: turn ?? run.turn,
    replaces: replaces ?? null,
    message: asked ? { text: asked.content, files: files ?? [] } : run.message,
  };
}

function failed(run: Run, { code, message, hint }: Failure): Run {
  return {
    ...run,
    status: code === CANCELLED ? "cancelled" : "failed",
    error: { code, message, ...(hint ? { hint } : {}) },
  };
}

/** A text's place is that of its end: what is numbered has one order, what is live may come early. */
function ended(run: Run, id: string, content: string): Run {
  const text: Text = { part: "text", id, text: content, length: codePoints(content), open: false };
  return { ...run, parts: [...run.parts.filter((part) => part.id !== id), text] };
}

function noticed(run: Run, name: string, value: Record<string, unknown>): Run {
  if (name === "step-unknown") {
    return changed(run, String(value.stepName), (step) => ({ ...step, begunBefore: true }));
  }
  const open = stepsOf(run).findLast((step) => step.status === "running");
  if (name !== "artifact" || !open) return run;
  const artifact = value as unknown as Artifact;
  if (open.artifacts.some((known) => known.id === artifact.id)) return run;
  return changed(run, open.id, (step) => ({ ...step, artifacts: [...step.artifacts, artifact] }));
}

function stepBegun(run: Run, id: string, kind: "model" | "tool", name: string): Run {
  const taken = new Set(stepsOf(run).map((step) => step.callId));
  const call = kind === "tool" ? run.calls.find((one) => one.name === name && !taken.has(one.id)) : undefined;
  const step: Step = {
    part: "step",
    id,
    kind: kind === "model" ? "model" : (KINDS[name] ?? "action"),
    name,
    status: "running",
    callId: call?.id,
    input: call && jsonOf(call.arguments),
    hits: [],
    artifacts: [],
    begunBefore: false,
    facts: {},
  };
  const model = kind === "model" ? name : run.model;
  return { ...run, model, parts: [...run.parts.filter((part) => part.id !== id), step] };
}

function stepEnded(run: Run, id: string, facts: StepFacts): Run {
  const loaded = run.skills.find((skill) => skill.name === facts.skill);
  return changed(run, id, (step) => ({
    ...step,
    status: facts.status ?? "ok",
    ref: loaded?.ref,
    artifacts: facts.artifacts ?? step.artifacts,
    facts,
  }));
}

function called(run: Run, event: StreamEvent): Run {
  switch (event.type) {
    case "TOOL_CALL_START": {
      const call = { id: event.toolCallId, name: event.toolCallName, arguments: "" };
      return { ...run, calls: [...run.calls, call] };
    }
    case "TOOL_CALL_ARGS":
      return {
        ...run,
        calls: run.calls.map((call) =>
          call.id === event.toolCallId ? { ...call, arguments: call.arguments + event.delta } : call,
        ),
      };
    case "TOOL_CALL_RESULT": {
      const step = stepsOf(run).find((one) => one.callId === event.toolCallId);
      const output = jsonOf(event.content);
      return step
        ? changed(run, step.id, (known) => ({ ...known, output, hits: hitsIn(known.kind, output) }))
        : run;
    }
    default:
      return run;
  }
}

function hitsIn(kind: StepKind, output: Json): Hit[] {
  const skills = kind === "search" && isObject(output) ? output.skills : undefined;
  return Array.isArray(skills) ? (skills as unknown as Hit[]) : [];
}

function changed(run: Run, id: string, change: (step: Step) => Step): Run {
  return {
    ...run,
    parts: run.parts.map((part) => (part.part === "step" && part.id === id ? change(part) : part)),
  };
}

function replaced(parts: Part[], text: Text): Part[] {
  return parts.map((part) => (part.id === text.id ? text : part));
}

/** What is not JSON is text. */
function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
