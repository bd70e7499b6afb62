import { describe, expect, test } from "vitest";
import { ticks, timeline } from "@/features/orchestrator/runs/timeline";

const at = (ms: number) => new Date(Date.UTC(2026, 10, 25, 12) + ms).toISOString();
const now = (ms: number) => Date.UTC(2026, 10, 25, 12) + ms;
const run = (started: number | null, finished: number | null) => ({
  created_at: at(0),
  started_at: started === null ? null : at(started),
  finished_at: finished === null ? null : at(finished),
});
const step = (index: number, started: number, finished: number | null) => ({
  index,
  started_at: at(started),
  finished_at: finished === null ? null : at(finished),
});

describe("bars", () => {
  test("start and length from timestamps, as shares of the axis", () => {
    const { total, bars } = timeline(run(100, 1100), [step(0, 100, 350), step(1, 350, 1100)], now(9_000));
    expect(total).toBe(1000);
    expect(bars).toEqual([
      { index: 0, start: 0, length: 250, left: 0, width: 0.25, running: false },
      { index: 1, start: 250, length: 750, left: 0.25, width: 0.75, running: false },
    ]);
  });

  test("that overlap keep their own start and length", () => {
    const { bars } = timeline(run(0, 400), [step(0, 0, 300), step(1, 100, 400)], now(400));
    expect(bars.map(({ left, width }) => [left, width])).toEqual([
      [0, 0.75],
      [0.25, 0.75],
    ]);
  });

  test("of a running step reach until now", () => {
    const { total, bars } = timeline(run(0, null), [step(0, 0, 100), step(1, 100, null)], now(500));
    expect(total).toBe(500);
    expect(bars[1]).toEqual({ index: 1, start: 100, length: 400, left: 0.2, width: 0.8, running: true });
  });

  test("are never negative, though the browser's clock is behind", () => {
    const { bars } = timeline(run(0, null), [step(0, 0, 100), step(1, 100, null)], now(-60_000));
    expect(bars[1]).toMatchObject({ left: 1, width: 0, running: true });
  });

  test("of a step that a run's end left open end with the run, and run no more", () => {
    const { bars } = timeline(run(0, 800), [step(0, 0, 200), step(1, 200, null)], now(99_000));
    expect(bars[1]).toMatchObject({ length: 600, width: 0.75, running: false });
  });

  test("of a run that was taken again begin with its first step", () => {
    const { total, bars } = timeline(run(500, 1000), [step(0, 0, 250), step(1, 600, 1000)], now(0));
    expect(total).toBe(1000);
    expect(bars.map(({ start }) => start)).toEqual([0, 600]);
  });

  test("of a step that took no time have no width", () => {
    const { total, bars } = timeline(run(0, 0), [step(0, 0, 0)], now(0));
    expect(total).toBe(1);
    expect(bars[0]).toMatchObject({ left: 0, width: 0 });
  });
});

test("a run that waits has an axis and no bars", () => {
  expect(timeline(run(null, null), [], now(250))).toMatchObject({ total: 250, bars: [] });
});

test.each([
  [1000, [0, 200, 400, 600, 800, 1000]],
  [640, [0, 200, 400, 600]],
  [1, [0, 1]],
  [4, [0, 1, 2, 3, 4]],
  [73_000, [0, 20_000, 40_000, 60_000]],
])("ticks of %d ms", (total, expected) => {
  const found = ticks(total);
  expect(found.map(({ at }) => at)).toEqual(expected);
  expect(found.every(({ left }) => left >= 0 && left <= 1)).toBe(true);
});
