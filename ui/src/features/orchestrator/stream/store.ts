/** A conversation that keeps itself up to date while somebody is subscribed; for `useSyncExternalStore`. */
import { ApiProblem } from "@/api/problem";
import { renewSession } from "@/api/session";
import { Connection, type ConnectionState } from "@/features/orchestrator/stream/connection";
import {
  type Accepted,
  applyAccepted,
  applyHistory,
  applyToConversation,
  type Conversation,
  newConversation,
  openRuns,
} from "@/features/orchestrator/stream/conversation";
import type { StreamEvent } from "@/features/orchestrator/stream/events";
import { frames } from "@/features/orchestrator/stream/frames";
import { readHistory } from "@/features/orchestrator/stream/history";
import { hasGap } from "@/features/orchestrator/stream/run";

export interface View {
  conversation: Conversation;
  connection: ConnectionState;
  /** The history could not be read. */
  error: unknown;
}

export class ConversationStore {
  private view: View;
  private readonly listeners = new Set<() => void>();
  private readonly connection: Connection;
  private queue: StreamEvent[] = [];
  private readonly soon = frames(() => this.flush());

  constructor(private readonly sessionId: string) {
    this.view = { conversation: newConversation(sessionId), connection: "connecting", error: null };
    this.connection = new Connection(sessionId, {
      onEvent: (event) => {
        this.queue.push(event);
        this.soon.ask();
      },
      onState: (connection) => this.show({ connection }),
      unfinished: () => {
        this.flush();
        return openRuns(this.view.conversation).map((run) => ({ run_id: run.id, after: run.last }));
      },
      catchUp: () => this.catchUp(),
      renew: renewSession,
    });
  }

  readonly subscribe = (listener: () => void) => {
    if (this.listeners.size === 0) this.connection.open();
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        this.connection.close();
        this.soon.cancel();
      }
    };
  };

  readonly read = () => this.view;

  /** Show a message that was just accepted. */
  readonly accepted = (message: Accepted) => {
    this.show({ conversation: applyAccepted(this.view.conversation, message) });
  };

  /** Read the turns before those that are shown. */
  readonly readEarlier = async () => {
    const first = this.view.conversation.runs.find((run) => run.turn !== null)?.turn ?? undefined;
    const page = await readHistory(this.sessionId, first);
    this.show({ conversation: applyHistory(this.view.conversation, page, first) });
  };

  readonly catchUp = async (): Promise<boolean> => {
    try {
      const page = await readHistory(this.sessionId);
      this.flush();
      this.show({ conversation: applyHistory(this.view.conversation, page), error: null });
      return true;
    } catch (error) {
      const gone = error instanceof ApiProblem && [401, 403, 404].includes(error.status);
      if (gone || !this.view.conversation.loaded) this.show({ error });
      if (gone) return false;
      throw error;
    }
  };

  private flush(): void {
    if (this.queue.length === 0) return;
    const conversation = this.queue.reduce(applyToConversation, this.view.conversation);
    this.queue = [];
    if (conversation === this.view.conversation) return;
    this.show({ conversation });
    for (const run of conversation.runs) {
      if (hasGap(run)) this.connection.resume({ run_id: run.id, after: run.last });
    }
  }

  private show(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }
}
