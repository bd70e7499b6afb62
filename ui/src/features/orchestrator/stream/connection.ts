/**
 * The WebSocket of one session, opened again for as long as somebody looks.
 *
 * After each opening the runs that have not ended are resumed after their last number, and the history is read again,
 * so that nothing that happened meanwhile is missed. The browser does not say why a handshake was refused: reading the
 * history tells, and renews the session on the way when that was the reason.
 */
import { eventOf, type StreamEvent } from "@/features/orchestrator/stream/events";

export type ConnectionState = "connecting" | "open" | "lost" | "ended";

export interface ResumePoint {
  run_id: string;
  after: number;
}

export interface Ears {
  onEvent(event: StreamEvent): void;
  onState(state: ConnectionState): void;
  /** What has not ended, and how far each has come. */
  unfinished(): ResumePoint[];
  /** Read the history anew. False: there is nothing to connect to any more. */
  catchUp(): Promise<boolean>;
  renew(): Promise<boolean>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

export class Connection {
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private asked = new Map<string, number>();
  /** The runs whose events this socket sends. */
  private watched = new Set<string>();
  private closed = true;

  constructor(
    private readonly sessionId: string,
    private readonly ears: Ears,
  ) {}

  open(): void {
    if (!this.closed) return;
    this.closed = false;
    window.addEventListener("online", this.atOnce);
    this.connect("connecting");
  }

  close(): void {
    this.closed = true;
    window.removeEventListener("online", this.atOnce);
    this.drop();
  }

  /** Ask for what a run has after a number, once for each number. */
  resume({ run_id, after }: ResumePoint): void {
    if (this.socket?.readyState !== WebSocket.OPEN || this.asked.get(run_id) === after) return;
    this.asked.set(run_id, after);
    this.watched.add(run_id);
    this.socket.send(JSON.stringify({ type: "resume", run_id, after }));
  }

  /** The network is back: a socket from before may be dead without knowing it. */
  private readonly atOnce = () => {
    this.failures = 0;
    this.connect("lost");
  };

  private drop(): void {
    clearTimeout(this.timer);
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  private connect(state: ConnectionState): void {
    this.drop();
    this.asked.clear();
    this.watched.clear();
    this.ears.onState(state);
    const socket = new WebSocket(this.address());
    this.socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      if (this.socket === socket) void this.opened();
    };
    socket.onmessage = ({ data }) => {
      const event = this.socket === socket ? eventOf(String(data)) : null;
      if (!event) return;
      this.watched.add(event.runId);
      this.ears.onEvent(event);
    };
    socket.onclose = () => {
      if (this.socket === socket) this.lost(!opened);
    };
  }

  private address(): string {
    const place = new URL(`/ws/sessions/${this.sessionId}`, window.location.href);
    place.protocol = place.protocol === "https:" ? "wss:" : "ws:";
    const newest = this.ears.unfinished().at(-1);
    if (newest) {
      this.watched.add(newest.run_id);
      place.searchParams.set("run_id", newest.run_id);
      place.searchParams.set("after", String(newest.after));
    }
    return place.href;
  }

  private async opened(): Promise<void> {
    this.failures = 0;
    this.ears.onState("open");
    this.resumeOthers();
    await this.ears.catchUp().catch(() => true);
    this.resumeOthers();
  }

  private resumeOthers(): void {
    for (const point of this.ears.unfinished()) {
      if (!this.watched.has(point.run_id)) this.resume(point);
    }
  }

  private lost(refused: boolean): void {
    this.socket = null;
    if (this.closed) return;
    this.ears.onState("lost");
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.again(refused), longest * (0.5 + Math.random() / 2));
  }

  private async again(refused: boolean): Promise<void> {
    const goOn = refused ? await this.mayConnect() : true;
    if (this.closed || this.socket) return;
    if (goOn) this.connect("lost");
    else this.ears.onState("ended");
  }

  /** A refused handshake: the access cookie may be stale, the session of work may be gone, or the server away. */
  private async mayConnect(): Promise<boolean> {
    try {
      await this.ears.renew();
      return await this.ears.catchUp();
    } catch {
      return true;
    }
  }
}
