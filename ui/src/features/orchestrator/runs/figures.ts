/** A run's figures as people read them; what is not known is a dash. */
import type { Run, Step, Usage } from "@/features/orchestrator/runs/types";
import { count, dollars, milliseconds } from "@/lib/format";
import { t } from "@/strings";

export const NOT_KNOWN = "–";

const between = (from: string, to: number) => Math.max(to - new Date(from).getTime(), 0);

/** From the first worker's beginning to the end, or to `now`. */
export function duration(run: Pick<Run, "started_at" | "finished_at">, now: number): string {
  if (!run.started_at) return NOT_KNOWN;
  return milliseconds(between(run.started_at, run.finished_at ? new Date(run.finished_at).getTime() : now));
}

/** How long it waited for a worker. */
export function waited(run: Pick<Run, "created_at" | "started_at">): string {
  return run.started_at
    ? milliseconds(between(run.created_at, new Date(run.started_at).getTime()))
    : NOT_KNOWN;
}

export function tokens({ input_tokens = 0, output_tokens = 0 }: Usage): string {
  const all = input_tokens + output_tokens;
  return all > 0 ? count(all) : NOT_KNOWN;
}

export function cost({ cost_microusd }: Usage): string {
  return cost_microusd === undefined ? NOT_KNOWN : dollars(cost_microusd);
}

/** `given`: what a trial does instead of asking a model. */
export type StepKind = "search" | "load" | "model" | "given" | "action" | "tool";

const OWN: Record<string, StepKind> = { search_skills: "search", load_skill: "load" };
const ACTION_MARK = "__";
const NO_MODEL = "direct";

export function kindOf(step: Pick<Step, "kind" | "name">): StepKind {
  if (step.kind === "model") return step.name === NO_MODEL ? "given" : "model";
  return OWN[step.name] ?? (step.name.includes(ACTION_MARK) ? "action" : "tool");
}

/** What a step is about: the model, what was searched for, the skill, its action. */
export function subjectOf(step: Pick<Step, "kind" | "name" | "input" | "output">): string {
  const kind = kindOf(step);
  const told = { ...argumentsOf(step), ...step.output };
  if (kind === "search" && typeof told.query === "string") return `“${told.query}”`;
  if (kind === "given") return t.runs.step.givenText;
  if (kind === "load") return [told.skill ?? told.name, told.version].filter(Boolean).join(" ");
  if (kind === "action") return step.name.split(ACTION_MARK).join(" · ");
  return step.name;
}

export function argumentsOf({ input }: Pick<Step, "input">): Record<string, unknown> {
  const given = input?.arguments;
  return given && typeof given === "object" ? (given as Record<string, unknown>) : {};
}
