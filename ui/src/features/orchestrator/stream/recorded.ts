/** For tests: streams as they were recorded, and roads on which they get lost, repeated and reordered. */
import { eventOf, type StreamEvent } from "@/features/orchestrator/stream/events";
import analytics from "@/features/orchestrator/stream/fixtures/analytics.json";

/** A run of the sample skill `analytics`, recorded from `/ws/sessions/{id}`. */
export const recorded: StreamEvent[] = analytics
  .map((frame) => eventOf(JSON.stringify(frame)))
  .filter((event) => event !== null);

export const RUN = recorded[0]?.runId ?? "";
export const SESSION = recorded[0]?.threadId ?? "";

/** The same numbers for the same seed (mulberry32). */
export function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The events as they arrive on a bad road: some lost, some twice, many late. */
export function badRoad(events: StreamEvent[], chance: () => number): StreamEvent[] {
  return events
    .flatMap((event, place) => {
      const copies = chance() < 0.2 ? 0 : chance() < 0.3 ? 2 : 1;
      return Array.from({ length: copies }, () => ({ event, at: place + chance() * 6 }));
    })
    .sort((one, other) => one.at - other.at)
    .map(({ event }) => event);
}

/** What a run's messages tell in one text of many small deltas; the emoji is one code point and two UTF-16 units. */
export function longAnswer(text: string, pieces: number): StreamEvent[] {
  const head = { runId: RUN, threadId: SESSION };
  const points = [...text];
  const size = Math.ceil(points.length / pieces);
  const deltas: StreamEvent[] = [];
  for (let offset = 0; offset < points.length; offset += size) {
    const delta = points.slice(offset, offset + size).join("");
    deltas.push({ ...head, type: "TEXT_MESSAGE_CONTENT", messageId: "m", delta, offset });
  }
  return [
    { ...head, seq: 1, type: "RUN_STARTED" },
    { ...head, seq: 2, type: "STEP_STARTED", stepName: "0 writer", kind: "model", name: "writer" },
    { ...head, type: "TEXT_MESSAGE_START", messageId: "m" },
    ...deltas,
    { ...head, seq: 3, type: "TEXT_MESSAGE_END", messageId: "m", content: text },
    { ...head, seq: 4, type: "STEP_FINISHED", stepName: "0 writer", kind: "model", name: "writer" },
    { ...head, seq: 5, type: "RUN_FINISHED", usage: { input_tokens: 7, output_tokens: pieces } },
  ];
}
