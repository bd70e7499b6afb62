/** Where the steps of a run lie on a common axis. Times are milliseconds after the axis begins. */
import type { Run, Step } from "@/features/orchestrator/runs/types";

export interface Bar {
  index: number;
  start: number;
  length: number;
  /** Shares of the axis, 0 to 1. */
  left: number;
  width: number;
  running: boolean;
}

export interface Tick {
  at: number;
  left: number;
}

export interface Timeline {
  total: number;
  bars: Bar[];
  ticks: Tick[];
}

type Timed = Pick<Step, "index" | "started_at" | "finished_at">;
const MOST_TICKS = 5;
const SHORTEST = 1;

const time = (iso: string) => new Date(iso).getTime();

/**
 * The axis begins with the run or its first step, whichever is earlier, and ends with the run, its last step, or `now`
 * while it is open. A step without an end runs until the axis ends; a browser's clock that is behind makes nothing
 * negative.
 */
export function timeline(
  run: Pick<Run, "created_at" | "started_at" | "finished_at">,
  steps: Timed[],
  now: number,
): Timeline {
  const begin = Math.min(
    time(run.started_at ?? run.created_at),
    ...steps.map((step) => time(step.started_at)),
  );
  const ends = steps.map((step) => time(step.finished_at ?? step.started_at));
  const end = Math.max(run.finished_at ? time(run.finished_at) : now, ...ends);
  const total = Math.max(end - begin, SHORTEST);
  const bars = steps.map((step) => {
    const start = time(step.started_at) - begin;
    const length = Math.max((step.finished_at ? time(step.finished_at) : end) - begin - start, 0);
    return {
      index: step.index,
      start,
      length,
      left: start / total,
      width: length / total,
      running: !step.finished_at && !run.finished_at,
    };
  });
  return { total, bars, ticks: ticks(total) };
}

/** Round times along an axis, a few at most: steps of 1, 2 or 5 times a power of ten, none below a millisecond. */
export function ticks(total: number): Tick[] {
  const least = Math.max(total / MOST_TICKS, SHORTEST);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, place) => ({
    at: place * step,
    left: (place * step) / total,
  }));
}
