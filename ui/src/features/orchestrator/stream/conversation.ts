/** A session's runs: pure, like the reducer of one run. */
import type { FileRef, StreamEvent } from "@/features/orchestrator/stream/events";
import type { History, HistoryRun } from "@/features/orchestrator/stream/history";
import { applyEvent } from "@/features/orchestrator/stream/reduce";
import { hasEnded, newRun, type Run } from "@/features/orchestrator/stream/run";

export interface Conversation {
  sessionId: string;
  /** In the order of their turns. */
  runs: Run[];
  /** Runs that a retry took the place of: what still comes of them is not shown. */
  superseded: ReadonlySet<string>;
  /** There are earlier turns. */
  more: boolean;
  /** The history has been read once. */
  loaded: boolean;
}

export interface Accepted {
  id: string;
  turn?: number;
  text: string;
  files: FileRef[];
  replaces?: string;
}

export function newConversation(sessionId: string): Conversation {
  return { sessionId, runs: [], superseded: new Set(), more: false, loaded: false };
}

export const openRuns = (conversation: Conversation) => conversation.runs.filter((run) => !hasEnded(run));

export function applyToConversation(conversation: Conversation, event: StreamEvent): Conversation {
  if (conversation.superseded.has(event.runId)) return conversation;
  const before = conversation.runs.find((run) => run.id === event.runId);
  const after = applyEvent(before ?? newRun(event.runId, event.threadId), event);
  if (after === before) return conversation;
  const next = withRun(conversation, after);
  return after.replaces && after.replaces !== before?.replaces ? superseding(next, after) : next;
}

/** A message that this window sent: it is shown before its run tells anything. */
export function applyAccepted(conversation: Conversation, accepted: Accepted): Conversation {
  const { id, text, files, replaces } = accepted;
  const known = conversation.runs.find((run) => run.id === id) ?? newRun(id, conversation.sessionId);
  const run: Run = {
    ...known,
    turn: known.turn ?? accepted.turn ?? null,
    message: known.message ?? { text, files },
    replaces: known.replaces ?? replaces ?? null,
  };
  return superseding(withRun(conversation, run), run);
}

/** A page of the history. Within its turns it is the truth: what it leaves out belongs to the conversation no more. */
export function applyHistory(conversation: Conversation, page: History, before?: number): Conversation {
  const turns = page.runs.map((one) => one.run.turn);
  const first = page.more ? Math.min(...turns) : 0;
  const last = before === undefined ? Math.max(0, ...turns) : before - 1;
  const listed = new Set(page.runs.map((one) => one.run.id));
  const gone = (run: Run) =>
    run.turn !== null && run.turn >= first && run.turn <= last && !listed.has(run.id);
  const newest = Math.max(0, ...conversation.runs.map((run) => run.turn ?? 0));
  // So much happened meanwhile that turns are missing between what is shown and the page.
  const apart = before === undefined && first > newest + 1;
  const runs = conversation.runs.filter((run) => !gone(run) && !(apart && run.turn !== null));
  const reachesBack = conversation.loaded && before === undefined && !apart;
  const more = reachesBack ? conversation.more : page.more;
  const state = { ...conversation, runs, loaded: true, more };
  return page.runs.reduce((sum, one) => withRun(sum, replayed(sum, one)), state);
}

function replayed(conversation: Conversation, { run, message, events }: HistoryRun): Run {
  const known = conversation.runs.find((one) => one.id === run.id) ?? newRun(run.id, run.session_id);
  const told = {
    ...known,
    turn: run.turn,
    message: { text: message.content, files: message.files },
    model: run.model ?? known.model,
  };
  return events.reduce(applyEvent, told);
}

function withRun(conversation: Conversation, run: Run): Conversation {
  const at = conversation.runs.findIndex((known) => known.id === run.id);
  const runs =
    at < 0
      ? [...conversation.runs, run]
      : conversation.runs.map((known, place) => (place === at ? run : known));
  return { ...conversation, runs: runs.toSorted(inOrder) };
}

/** Ids are UUIDv7: they sort by the time of their making. */
function inOrder(one: Run, other: Run): number {
  if (one.turn !== null && other.turn !== null && one.turn !== other.turn) return one.turn - other.turn;
  return one.id < other.id ? -1 : 1;
}

/** A retry takes the place of a run and of all that came after it. */
function superseding(conversation: Conversation, by: Run): Conversation {
  const from = conversation.runs.findIndex((run) => run.id === by.replaces);
  const until = conversation.runs.findIndex((run) => run.id === by.id);
  if (!by.replaces) return conversation;
  const gone = from < 0 ? [] : conversation.runs.slice(from, until).map((run) => run.id);
  const superseded = new Set([...conversation.superseded, by.replaces, ...gone]);
  return { ...conversation, superseded, runs: conversation.runs.filter((run) => !superseded.has(run.id)) };
}
