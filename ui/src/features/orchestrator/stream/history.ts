import { api, data, type Schemas } from "@/api/client";
import type { FileRef, StreamEvent } from "@/features/orchestrator/stream/events";

/** A turn as the history tells it: the API's document leaves open what is in files and events. */
export interface HistoryRun {
  run: Schemas["RunView"];
  message: { content: string; files: FileRef[] };
  events: StreamEvent[];
}

export interface History {
  runs: HistoryRun[];
  more: boolean;
}

/** The newest turns, or those before a turn. */
export async function readHistory(sessionId: string, before?: number): Promise<History> {
  const page = await data(
    api.GET("/api/v1/orchestrator/sessions/{session_id}/history", {
      params: { path: { session_id: sessionId }, query: { before } },
    }),
  );
  return page as unknown as History;
}
