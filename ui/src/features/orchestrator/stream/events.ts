/** The events of a run, as the server sends them (docs/reference/events.md). */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface FileRef {
  id: string;
  name: string;
  size: number;
}

export interface Artifact extends FileRef {
  media_type: string;
  url: string;
}

export interface SkillRef {
  name: string;
  ref: string;
  version: string;
  digest: string;
}

/** What the sandbox says of an action. */
export interface SandboxVerdict {
  driver: string;
  status: string;
  wall_ms?: number;
  exit_code?: number | null;
  cpu_ms?: number | null;
  peak_memory_bytes?: number | null;
  weakened: string[];
}

export interface Failure {
  code: string;
  message: string;
  hint?: string;
}

/** How a step ended: everything that a `STEP_FINISHED` may tell. */
export interface StepFacts {
  status?: "ok" | "error" | "unknown";
  timings?: Record<string, number>;
  found?: number;
  skill?: string;
  version?: string;
  digest?: string;
  unloaded?: string[];
  path?: string;
  bytes?: number;
  action?: string;
  sandbox?: SandboxVerdict;
  artifacts?: Artifact[];
  error?: Failure;
  requests?: number;
  prompt_tokens?: number;
  turns_left_out?: number;
}

interface Head {
  runId: string;
  threadId: string;
  /** 1, 2, 3, … without a gap in a run; live events have none. */
  seq?: number;
}

interface RunInput {
  messages: { id: string; role: string; content: string }[];
  forwardedProps: { turn?: number; files?: FileRef[]; replaces?: string | null };
}

type Body =
  | { type: "RUN_STARTED"; input?: RunInput }
  | { type: "RUN_FINISHED"; usage?: Record<string, number> }
  | ({ type: "RUN_ERROR" } & Failure)
  | { type: "STEP_STARTED"; stepName: string; kind: "model" | "tool"; name: string }
  | ({ type: "STEP_FINISHED"; stepName: string; kind: "model" | "tool"; name: string } & StepFacts)
  | { type: "TEXT_MESSAGE_START"; messageId: string }
  | { type: "TEXT_MESSAGE_CONTENT"; messageId: string; delta: string; offset: number }
  | { type: "TEXT_MESSAGE_END"; messageId: string; content: string }
  | { type: "TOOL_CALL_START"; toolCallId: string; toolCallName: string }
  | { type: "TOOL_CALL_ARGS"; toolCallId: string; delta: string }
  | { type: "TOOL_CALL_END"; toolCallId: string }
  | { type: "TOOL_CALL_RESULT"; toolCallId: string; content: string }
  | { type: "STATE_SNAPSHOT"; snapshot: { skills?: SkillRef[] } }
  | { type: "CUSTOM"; name: string; value: { [key: string]: unknown } };

export type StreamEvent = Head & Body;

/** A run's event, or nothing: frames that answer commands or show the whole session name no run. */
export function eventOf(frame: string): StreamEvent | null {
  try {
    const event: unknown = JSON.parse(frame);
    const head = event as Partial<Head & { type: string }> | null;
    return head && typeof head.type === "string" && typeof head.runId === "string"
      ? (event as StreamEvent)
      : null;
  } catch {
    return null;
  }
}
