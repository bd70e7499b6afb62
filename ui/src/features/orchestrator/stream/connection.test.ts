import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type Ears, type ResumePoint } from "@/features/orchestrator/stream/connection";
import { RUN, recorded, SESSION } from "@/features/orchestrator/stream/recorded";

class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readyState = 0;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }
  send(frame: string): void {
    this.sent.push(JSON.parse(frame));
  }
  close(): void {
    this.readyState = 3;
  }
  accept(): void {
    this.readyState = 1;
    this.onopen?.();
  }
  tell(event: unknown): void {
    this.onmessage?.({ data: JSON.stringify(event) });
  }
  /** The other side, or the network, ends it. */
  end(): void {
    this.readyState = 3;
    this.onclose?.();
  }
}

let open: ResumePoint[] = [];
const ears = {
  onEvent: vi.fn<Ears["onEvent"]>(),
  onState: vi.fn<Ears["onState"]>(),
  unfinished: () => open,
  catchUp: vi.fn<Ears["catchUp"]>(async () => true),
  renew: vi.fn<Ears["renew"]>(async () => true),
};
const newest = () => FakeSocket.made.at(-1) as FakeSocket;
const state = () => ears.onState.mock.lastCall?.[0];
let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.made = [];
  open = [];
  connection = new Connection(SESSION, ears);
  connection.open();
});

afterEach(() => {
  connection.close();
  vi.clearAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("hands on runs' events and reads the history when it opens", async () => {
  expect(state()).toBe("connecting");
  newest().accept();
  expect(state()).toBe("open");
  newest().tell({ type: "MESSAGES_SNAPSHOT", threadId: SESSION, messages: [] });
  newest().tell(recorded[0]);
  expect(ears.onEvent.mock.calls).toEqual([[recorded[0]]]);
  expect(ears.catchUp).toHaveBeenCalledOnce();
});

test("connects again after a loss, and resumes every open run after its last number", async () => {
  newest().accept();
  open = [
    { run_id: "earlier", after: 4 },
    { run_id: RUN, after: 12 },
  ];
  newest().end();
  expect(state()).toBe("lost");
  await vi.advanceTimersByTimeAsync(600);
  expect(FakeSocket.made).toHaveLength(2);
  expect(newest().url).toContain(`run_id=${RUN}&after=12`);
  newest().accept();
  await vi.advanceTimersByTimeAsync(0);
  expect(newest().sent).toEqual([{ type: "resume", run_id: "earlier", after: 4 }]);
  expect(ears.catchUp).toHaveBeenCalledTimes(2);
});

test("resumes runs that the history tells of and no event came from", async () => {
  ears.catchUp.mockImplementationOnce(async () => {
    open = [{ run_id: RUN, after: 3 }];
    return true;
  });
  newest().accept();
  await vi.advanceTimersByTimeAsync(0);
  expect(newest().sent).toEqual([{ type: "resume", run_id: RUN, after: 3 }]);
});

test("asks once for what is missing", () => {
  newest().accept();
  connection.resume({ run_id: RUN, after: 5 });
  connection.resume({ run_id: RUN, after: 5 });
  connection.resume({ run_id: RUN, after: 6 });
  expect(newest().sent).toHaveLength(2);
});

test("waits longer and longer, and not at all when the network is back", async () => {
  newest().accept();
  const waits: number[] = [];
  for (let loss = 0; loss < 8; loss += 1) {
    const before = Date.now();
    newest().end();
    const sockets = FakeSocket.made.length;
    while (FakeSocket.made.length === sockets) await vi.advanceTimersByTimeAsync(50);
    waits.push(Date.now() - before);
  }
  expect(waits[0]).toBeLessThanOrEqual(550);
  expect(waits[5]).toBeGreaterThan(waits[0] ?? 0);
  expect(Math.max(...waits)).toBeLessThanOrEqual(15_050);
  newest().end();
  window.dispatchEvent(new Event("online"));
  expect(FakeSocket.made).toHaveLength(10);
});

test("a socket from before the network was lost is given up", () => {
  const old = newest();
  old.accept();
  window.dispatchEvent(new Event("online"));
  expect(old.readyState).toBe(3);
  old.tell(recorded[0]);
  expect(ears.onEvent).not.toHaveBeenCalled();
});

test("a refused handshake renews the session before the next one", async () => {
  newest().end();
  await vi.advanceTimersByTimeAsync(600);
  expect(ears.renew).toHaveBeenCalledOnce();
  expect(FakeSocket.made).toHaveLength(2);
});

test("a conversation that is gone is not connected to again", async () => {
  ears.catchUp.mockResolvedValueOnce(false);
  newest().end();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(state()).toBe("ended");
  expect(FakeSocket.made).toHaveLength(1);
});

test("a server that cannot be reached is asked again and again", async () => {
  ears.renew.mockRejectedValue(new TypeError("Failed to fetch"));
  for (let loss = 0; loss < 4; loss += 1) {
    newest().end();
    await vi.advanceTimersByTimeAsync(15_000);
  }
  expect(FakeSocket.made).toHaveLength(5);
  ears.renew.mockResolvedValue(true);
});

test("closing is for good", async () => {
  newest().accept();
  connection.close();
  newest().end();
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(FakeSocket.made).toHaveLength(1);
});
