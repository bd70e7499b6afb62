import { useMemo, useSyncExternalStore } from "react";
import { ConversationStore } from "@/features/orchestrator/stream/store";

/** A session's runs as they stand, kept up to date for as long as the component is there. */
export function useConversation(sessionId: string) {
  const store = useMemo(() => new ConversationStore(sessionId), [sessionId]);
  const view = useSyncExternalStore(store.subscribe, store.read);
  return { ...view, store };
}
