import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Announcer } from "@/features/orchestrator/chat/Announcer";
import { longAnswer, RUN, SESSION } from "@/features/orchestrator/stream/recorded";
import { applyEvent } from "@/features/orchestrator/stream/reduce";
import { newRun } from "@/features/orchestrator/stream/run";

afterEach(cleanup);

const events = longAnswer("All is well.", 3);
const written = (count: number) => events.slice(0, count).reduce(applyEvent, newRun(RUN, SESSION));

test("an answer is read out when it is whole, and only once it was written here", () => {
  const { rerender } = render(<Announcer run={written(5)} />);
  expect(screen.queryByText(/All/)).toBeNull();
  rerender(<Announcer run={written(events.length)} />);
  expect(screen.getByText("All is well.")).toBeTruthy();
  cleanup();
  render(<Announcer run={written(events.length)} />);
  expect(screen.queryByText("All is well.")).toBeNull();
});
