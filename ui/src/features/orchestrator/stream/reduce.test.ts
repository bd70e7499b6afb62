import { describe, expect, test } from "vitest";
import type { StreamEvent } from "@/features/orchestrator/stream/events";
import {
  badRoad,
  chances,
  longAnswer,
  RUN,
  recorded,
  SESSION,
} from "@/features/orchestrator/stream/recorded";
import { applyEvent } from "@/features/orchestrator/stream/reduce";
import {
  artifactsOf,
  hasGap,
  hitOf,
  newRun,
  type Run,
  stepsOf,
  textsOf,
} from "@/features/orchestrator/stream/run";

const fresh = () => newRun(RUN, SESSION);
const play = (events: StreamEvent[], run = fresh()) => events.reduce(applyEvent, run);
const numbered = (events: StreamEvent[]) => events.filter((event) => event.seq !== undefined);
/** What the server answers to `resume`. */
const resumed = (run: Run, events: StreamEvent[]) =>
  play(
    numbered(events).filter((event) => (event.seq ?? 0) > run.last),
    run,
  );

const answer = "Zwölf Bücher 📚, one — **bold** — and 20 %\n\n```py\nprint('🦖')\n```\n";
const streams: [string, StreamEvent[]][] = [
  ["the recorded run", recorded],
  ["a long answer", longAnswer(answer.repeat(9), 70)],
];

describe("a recorded run", () => {
  const run = play(recorded);

  test("begins with what was asked", () => {
    expect(run).toMatchObject({
      turn: 1,
      replaces: null,
      message: { text: expect.stringContaining("budget") },
    });
    expect(run.message?.files.map((file) => file.name)).toEqual(["campaigns.csv"]);
  });

  test("ends with its answer", () => {
    expect(run.status).toBe("succeeded");
    expect(run.model).toBe("offline");
    expect(textsOf(run)).toHaveLength(1);
    expect(textsOf(run)[0]?.text).toContain("Brand Search should get more budget");
    expect(run.usage.requests).toBe(4);
  });

  test("tells what was searched, loaded and run", () => {
    const tools = stepsOf(run).filter((step) => step.kind !== "model");
    expect(tools.map((step) => [step.kind, step.status])).toEqual([
      ["search", "ok"],
      ["load", "ok"],
      ["action", "ok"],
    ]);
    const [search, load, action] = tools;
    expect(search?.hits[0]?.name).toBe("analytics");
    expect(load?.ref).toBe("raptorflow/analytics");
    expect(hitOf(run, load?.facts.skill)?.score).toBeGreaterThan(0);
    expect(action?.input).toMatchObject({ file: "campaigns.csv" });
    expect(action?.output).toHaveProperty("answer");
    expect(action?.facts.sandbox?.status).toBe("ok");
    expect(artifactsOf(run).map((file) => file.name)).toEqual(["chart.png"]);
  });
});

describe.each(streams)("%s, however it arrives", (_, events) => {
  const whole = play(events);

  test("any part of it before the whole changes nothing", () => {
    for (let length = 0; length <= events.length; length += 1) {
      const start = play(events.slice(0, length));
      expect(play(events, start)).toEqual(whole);
      expect(resumed(start, events)).toEqual(whole);
    }
  });

  test("the numbered events alone, in any order, are enough", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const chance = chances(seed);
      const mixed = numbered(events)
        .map((event) => ({ event, at: chance() }))
        .sort((one, other) => one.at - other.at)
        .map(({ event }) => event);
      expect(play(mixed)).toEqual(whole);
    }
  });

  test("what a bad road loses is asked for again", () => {
    let gaps = 0;
    for (let seed = 0; seed < 300; seed += 1) {
      const run = play(badRoad(events, chances(seed)));
      gaps += hasGap(run) ? 1 : 0;
      expect(resumed(run, events)).toEqual(whole);
    }
    expect(gaps).toBeGreaterThan(50);
  });
});

describe("a text", () => {
  const head = { runId: RUN, threadId: SESSION };
  const start: StreamEvent = { ...head, type: "TEXT_MESSAGE_START", messageId: "m" };
  const delta = (offset: number, text: string): StreamEvent => ({
    ...head,
    type: "TEXT_MESSAGE_CONTENT",
    messageId: "m",
    delta: text,
    offset,
  });
  const end: StreamEvent = { ...head, seq: 1, type: "TEXT_MESSAGE_END", messageId: "m", content: "final" };
  const textOf = (events: StreamEvent[]) => textsOf(play(events))[0]?.text;

  test("grows by deltas that fit, in code points", () => {
    expect(textOf([start, delta(0, "a🦖"), delta(3, "no"), delta(2, "b"), delta(2, "b")])).toBe("a🦖b");
  });

  test("is written letter by letter without a doubled word", () => {
    const events = longAnswer(answer, 40);
    const until = events.findIndex((event) => event.type === "TEXT_MESSAGE_END");
    expect(
      textOf(events.slice(0, until).flatMap((event) => [event, event].slice(0, event.seq ? 2 : 1))),
    ).toBe(answer);
  });

  test("starts over when the model is asked again", () => {
    expect(textOf([start, delta(0, "half an ans"), start, delta(0, "whole")])).toBe("whole");
  });

  test("is what its end says, and nothing late changes that", () => {
    expect(textOf([start, delta(0, "fin"), end, start, delta(0, "x"), delta(5, "y")])).toBe("final");
  });
});

describe("a run that ends badly", () => {
  const head = { runId: RUN, threadId: SESSION };
  const error = (code: string): StreamEvent => ({ ...head, seq: 1, type: "RUN_ERROR", code, message: "No." });

  test("is cancelled, or failed with its hint", () => {
    expect(play([error("run-cancelled")]).status).toBe("cancelled");
    expect(play([error("model-busy")])).toMatchObject({ status: "failed", error: { code: "model-busy" } });
  });

  test("hears nothing more", () => {
    const ended = play([error("model-busy")]);
    expect(applyEvent(ended, { ...head, type: "TEXT_MESSAGE_START", messageId: "late" })).toBe(ended);
  });
});
