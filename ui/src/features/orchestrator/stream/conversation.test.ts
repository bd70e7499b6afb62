import { expect, test } from "vitest";
import {
  applyAccepted,
  applyHistory,
  applyToConversation,
  newConversation,
  openRuns,
} from "@/features/orchestrator/stream/conversation";
import type { StreamEvent } from "@/features/orchestrator/stream/events";
import type { HistoryRun } from "@/features/orchestrator/stream/history";
import { RUN, recorded, SESSION } from "@/features/orchestrator/stream/recorded";

const view = (id: string, turn: number): HistoryRun["run"] => ({
  id,
  session_id: SESSION,
  turn,
  status: "succeeded",
  model: "offline",
  usage: {},
  error: null,
  attempt: 1,
  last_seq: 2,
  created_at: "",
  started_at: null,
  finished_at: null,
});
const told = (id: string, turn: number): HistoryRun => ({
  run: view(id, turn),
  message: { content: `question ${turn}`, files: [] },
  events: [
    { ...started(id, turn), seq: 1 },
    { runId: id, threadId: SESSION, seq: 2, type: "RUN_FINISHED" },
  ],
});
const started = (id: string, turn: number, replaces: string | null = null): StreamEvent => ({
  runId: id,
  threadId: SESSION,
  seq: 1,
  type: "RUN_STARTED",
  input: {
    messages: [{ id: `${id}.0`, role: "user", content: `question ${turn}` }],
    forwardedProps: { turn, files: [], replaces },
  },
});
const ids = (conversation: { runs: { id: string }[] }) => conversation.runs.map((run) => run.id);
const fresh = newConversation(SESSION);
const three = { runs: [told("a", 1), told("b", 2), told("c", 3)], more: false };

test("history and stream tell the same run", () => {
  const numbered = recorded.filter((event) => event.seq);
  const file = { id: expect.any(String), name: "campaigns.csv", size: 4842 };
  const message = { content: "Which campaign should get more budget?", files: [file] };
  const page = { runs: [{ run: view(RUN, 1), message, events: numbered }], more: false };
  const replayed = applyHistory(fresh, page);
  const streamed = applyHistory(recorded.reduce(applyToConversation, fresh), page);
  expect(streamed).toEqual(replayed);
  expect(recorded.reduce(applyToConversation, replayed)).toEqual(replayed);
});

test("a message is shown before its run tells anything", () => {
  const sent = applyAccepted(applyHistory(fresh, three), { id: "d", text: "hello", files: [] });
  expect(sent.runs.at(-1)).toMatchObject({ id: "d", status: "queued", message: { text: "hello" } });
  expect(openRuns(sent)).toHaveLength(1);
  expect(ids(applyHistory(sent, three))).toEqual(["a", "b", "c", "d"]);
});

test("a retry takes the place of a run and all later ones, and what they still tell is not heard", () => {
  const before = applyHistory(fresh, three);
  const here = applyAccepted(before, { id: "d", text: "again", files: [], replaces: "b" });
  const elsewhere = applyToConversation(before, started("d", 4, "b"));
  expect(ids(here)).toEqual(["a", "d"]);
  expect(ids(elsewhere)).toEqual(["a", "d"]);
  expect(ids(applyToConversation(elsewhere, { ...started("c", 3), seq: 9 }))).toEqual(["a", "d"]);
});

test("what was replaced while this window was away leaves with the next history", () => {
  const page = { runs: [told("a", 1), told("d", 4)], more: false };
  expect(ids(applyHistory(applyHistory(fresh, three), page))).toEqual(["a", "d"]);
});

test("earlier turns go before, and a reread of the newest page leaves them", () => {
  const newest = { runs: [told("c", 3)], more: true };
  const start = applyHistory(fresh, newest);
  expect(start.more).toBe(true);
  const all = applyHistory(start, { runs: [told("a", 1), told("b", 2)], more: false }, 3);
  expect(ids(all)).toEqual(["a", "b", "c"]);
  expect(applyHistory(all, newest)).toMatchObject({ more: false, runs: all.runs });
});

test("turns that are far from what is shown do not leave a hole", () => {
  const start = applyHistory(fresh, { runs: [told("a", 1)], more: false });
  const far = applyHistory(start, { runs: [told("x", 30), told("y", 31)], more: true });
  expect(ids(far)).toEqual(["x", "y"]);
  expect(far.more).toBe(true);
});
