import { useMemo, useSyncExternalStore } from "react";
import { renewSession } from "@/api/session";
import { eventOf } from "@/features/orchestrator/stream/events";
import { frames } from "@/features/orchestrator/stream/frames";
import { applyEvent } from "@/features/orchestrator/stream/reduce";
import { hasEnded, newRun, type Run } from "@/features/orchestrator/stream/run";

const WAIT_MS = 2_000;

/** One run as it stands, by its server-sent events: for pages that show no conversation. */
export function useRun(runId: string, sessionId = ""): Run {
  const store = useMemo(() => new RunStore(runId, sessionId), [runId, sessionId]);
  return useSyncExternalStore(store.subscribe, store.read);
}

class RunStore {
  private run: Run;
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private listener: (() => void) | null = null;
  private frames: string[] = [];
  private readonly soon = frames(() => this.flush());

  constructor(runId: string, sessionId: string) {
    this.run = newRun(runId, sessionId);
  }

  readonly read = () => this.run;

  readonly subscribe = (listener: () => void) => {
    this.listener = listener;
    this.open();
    return () => {
      this.listener = null;
      this.shut();
    };
  };

  private open(): void {
    if (hasEnded(this.run)) return;
    const source = new EventSource(`/api/v1/orchestrator/runs/${this.run.id}/events?after=${this.run.last}`);
    this.source = source;
    source.onmessage = ({ data }) => {
      this.frames.push(String(data));
      this.soon.ask();
    };
    // The browser connects again by itself, unless the answer was a refusal.
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      this.timer = setTimeout(() => {
        void renewSession()
          .catch(() => false)
          .then(() => this.listener && this.source === source && this.open());
      }, WAIT_MS);
    };
  }

  private shut(): void {
    clearTimeout(this.timer);
    this.soon.cancel();
    this.source?.close();
    this.source = null;
  }

  private flush(): void {
    const events = this.frames.map(eventOf).filter((event) => event !== null);
    this.frames = [];
    this.run = events.reduce(applyEvent, this.run);
    if (hasEnded(this.run)) this.shut();
    this.listener?.();
  }
}
