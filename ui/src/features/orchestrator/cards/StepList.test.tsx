import { cleanup, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StepList } from "@/features/orchestrator/cards/StepList";
import { renderInside } from "@/features/orchestrator/render";
import { RUN, recorded, SESSION } from "@/features/orchestrator/stream/recorded";
import { applyEvent } from "@/features/orchestrator/stream/reduce";
import { newRun } from "@/features/orchestrator/stream/run";

const limits = { timeout_seconds: 120, memory_bytes: 2 ** 30, disk_bytes: 2 ** 26 };
const installation = {
  name: "analytics",
  version: "1.0.0",
  permissions: ["No network, no services, no secrets."],
  granted: { limits },
};

beforeEach(() => {
  vi.stubGlobal("fetch", async () => Response.json([installation]));
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const run = recorded.reduce(applyEvent, newRun(RUN, SESSION));

test("a skill's card says why it was found and what it may do", async () => {
  await renderInside(<StepList run={run} />);
  expect(screen.getByText(/Loaded analytics/)).toBeTruthy();
  expect(screen.getByText(/Best fit of the search: score 1.00/)).toBeTruthy();
  expect(await screen.findByText("No network, no services, no secrets.")).toBeTruthy();
});

test("an action's card shows what went in, what came out, its limits and its files", async () => {
  await renderInside(<StepList run={run} open />);
  expect(screen.getByText("Ran analytics: compare")).toBeTruthy();
  expect(screen.getAllByText("campaigns.csv").length).toBeGreaterThan(0);
  expect(screen.getByText("Base per result")).toBeTruthy();
  expect(screen.getByText(/finished normally/)).toBeTruthy();
  expect(await screen.findByText("120 s, 1024 MiB of memory, 64 MiB of files")).toBeTruthy();
  const picture = screen.getByAltText("Picture chart.png");
  expect(picture.getAttribute("src")).toMatch(/^\/api\/v1\/orchestrator\/files\/[0-9a-f-]+\/content$/);
  expect(screen.getByLabelText("Download chart.png").getAttribute("download")).toBe("chart.png");
});

test("a step that its run did not end was stopped", async () => {
  const until = recorded.findIndex((event) => event.type === "TOOL_CALL_RESULT");
  const seq = Math.max(...recorded.slice(0, until).map((event) => event.seq ?? 0)) + 1;
  const begun = recorded.slice(0, until).reduce(applyEvent, newRun(RUN, SESSION));
  const head = { runId: RUN, threadId: SESSION, seq };
  const cut = applyEvent(begun, { ...head, type: "RUN_ERROR", code: "run-cancelled", message: "No." });
  const { unmount } = await renderInside(<StepList run={begun} />);
  expect(screen.getByText("Running")).toBeTruthy();
  unmount();
  await renderInside(<StepList run={cut} />);
  expect(screen.getByText("Stopped")).toBeTruthy();
});

test("what the sandbox could not hold by the kernel is said", async () => {
  const weakened = recorded.map((event) =>
    event.type === "STEP_FINISHED" && event.sandbox
      ? { ...event, sandbox: { ...event.sandbox, weakened: ["memory"] } }
      : event,
  );
  await renderInside(<StepList run={weakened.reduce(applyEvent, newRun(RUN, SESSION))} open />);
  expect(screen.getByText(/Held by supervision, not by the kernel, on this machine: memory/)).toBeTruthy();
});
