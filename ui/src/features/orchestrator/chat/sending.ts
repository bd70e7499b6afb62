import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { api, data } from "@/api/client";
import { sessionsQuery } from "@/features/orchestrator/chat/sessions";
import type { FileRef } from "@/features/orchestrator/stream/events";

export interface Outgoing {
  text: string;
  files: FileRef[];
  /** The run whose place this one takes. */
  replaces?: string;
}

/** Sends messages to a session, which is begun with the first one when there is none yet. */
export function useSend(sessionId?: string) {
  const queries = useQueryClient();
  const session = useRef(sessionId);
  const key = useRef({ of: "", key: "" });
  return useMutation({
    mutationFn: async (message: Outgoing) => {
      session.current ??= (await data(api.POST("/api/v1/orchestrator/sessions", { body: { title: "" } }))).id;
      const body = { ...message, files: message.files.map((file) => file.id) };
      // Sending the same again after a failure is sending it once.
      const same = JSON.stringify(body);
      if (key.current.of !== same) key.current = { of: same, key: newKey() };
      const run = await data(
        api.POST("/api/v1/orchestrator/sessions/{session_id}/messages", {
          params: { path: { session_id: session.current } },
          body: { ...body, idempotency_key: key.current.key },
        }),
      );
      key.current = { of: "", key: "" };
      return { run, sessionId: session.current };
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
}

export const cancel = (runId: string) =>
  data(api.POST("/api/v1/orchestrator/runs/{run_id}/cancel", { params: { path: { run_id: runId } } }));

/** `crypto.randomUUID` is not there when the server is reached over plain HTTP. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
