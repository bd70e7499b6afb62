/** One run as its events tell it, and what can be asked of it. */
import type {
  Artifact,
  Failure,
  FileRef,
  Json,
  SkillRef,
  StepFacts,
  StreamEvent,
} from "@/features/orchestrator/stream/events";

export type StepKind = "model" | "search" | "load" | "unload" | "read" | "action";

/** A skill that a search found, and why: its score, and how well words and meaning match, all from 0 to 1. */
export interface Hit {
  name: string;
  version: string;
  description: string;
  score: number;
  words: number;
  similarity: number | null;
  installed: boolean;
}

export interface Step {
  part: "step";
  /** Unique in the run. */
  id: string;
  kind: StepKind;
  /** The model's or the tool's name. */
  name: string;
  status: "running" | "ok" | "error" | "unknown";
  callId?: string;
  input?: Json;
  output?: Json;
  /** A loaded skill's full name, `namespace/name`. */
  ref?: string;
  hits: Hit[];
  artifacts: Artifact[];
  /** The step was begun by a worker that was lost; nobody knows how far it came. */
  begunBefore: boolean;
  facts: StepFacts;
}

export interface Text {
  part: "text";
  id: string;
  text: string;
  /** In Unicode code points, as offsets are counted. */
  length: number;
  /** Still being written: there is no snapshot of it yet. */
  open: boolean;
}

export type Part = Step | Text;

export interface Call {
  id: string;
  name: string;
  arguments: string;
}

export interface Run {
  id: string;
  sessionId: string;
  turn: number | null;
  status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  /** Known once a step of it has begun. */
  model: string | null;
  message: { text: string; files: FileRef[] } | null;
  /** The run whose place this one takes. */
  replaces: string | null;
  /** Steps and texts in their order. */
  parts: Part[];
  skills: SkillRef[];
  usage: Record<string, number>;
  error: Failure | null;
  /** The model's provider wants a pause. */
  waiting: { seconds: number; reason: string } | null;
  /** The greatest number applied. */
  last: number;
  /** Numbered events that came before their predecessors. */
  held: Readonly<Record<number, StreamEvent>>;
  calls: Call[];
}

export function newRun(id: string, sessionId: string): Run {
  return {
    id,
    sessionId,
    turn: null,
    status: "queued",
    model: null,
    message: null,
    replaces: null,
    parts: [],
    skills: [],
    usage: {},
    error: null,
    waiting: null,
    last: 0,
    held: {},
    calls: [],
  };
}

export const hasEnded = (run: Run) => run.status !== "queued" && run.status !== "running";

/** Whether events are missing: they have to be asked for, after `last`. */
export const hasGap = (run: Run) => !hasEnded(run) && Object.keys(run.held).length > 0;

export const stepsOf = (run: Run) => run.parts.filter((part): part is Step => part.part === "step");

export const textsOf = (run: Run) => run.parts.filter((part): part is Text => part.part === "text");

export const artifactsOf = (run: Run) => stepsOf(run).flatMap((step) => step.artifacts);

/** The search result that a skill was loaded for. */
export const hitOf = (run: Run, skill: string | undefined): Hit | undefined =>
  stepsOf(run)
    .flatMap((step) => step.hits)
    .findLast((hit) => hit.name === skill || hit.name.endsWith(`/${skill}`));

/** All that was found together with a hit, the best first. */
export const hitsOf = (run: Run, hit: Hit): Hit[] =>
  stepsOf(run).find((step) => step.hits.includes(hit))?.hits ?? [];

export function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
