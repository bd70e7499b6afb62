/** What the API says of conversations and runs, as far as its generated document does not say it yet. */
import { problemOf } from "@/api/problem";
import { fetchWithSession } from "@/api/session";
import type { FileRef, StreamEvent } from "@/features/orchestrator/stream/events";

export type RunStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface RunView {
  id: string;
  session_id: string;
  turn: number;
  status: RunStatus;
  model: string | null;
  usage: Record<string, number>;
  error: { code: string; message: string; hint?: string } | null;
  last_seq: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface HistoryRun {
  run: RunView;
  message: { id: string; content: string; files: FileRef[] };
  events: StreamEvent[];
}

export interface History {
  runs: HistoryRun[];
  more: boolean;
}

const ROOT = "/api/v1/orchestrator";

/** One request below the orchestrator's prefix; a failure is thrown as an `ApiProblem`. */
export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetchWithSession(
    new Request(new URL(`${ROOT}${path}`, window.location.origin), {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    }),
  );
  const text = await answer.text();
  const content: unknown = text ? parsed(text) : undefined;
  if (!answer.ok) throw problemOf(answer.status, content);
  return content as T;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const readHistory = (sessionId: string, before?: number) =>
  call<History>(
    "GET",
    `/sessions/${sessionId}/history?limit=20${before === undefined ? "" : `&before=${before}`}`,
  );
