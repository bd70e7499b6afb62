import { expect, test } from "vitest";
import { byDay, type Session } from "@/features/orchestrator/chat/sessions";

const session = (id: string, created: Date): Session =>
  ({ id, title: id, turns: 1, created_at: created.toISOString(), updated_at: "" }) as Session;

test("conversations stand below the day they began on", () => {
  const noon = new Date(2026, 10, 25, 12);
  const days = (back: number) => new Date(2026, 10, 25 - back, 9);
  const groups = byDay(
    [session("a", days(0)), session("b", days(0)), session("c", days(1)), session("d", days(5))],
    noon.getTime(),
  );
  expect(groups.map((group) => [group.name, group.sessions.map((one) => one.id)])).toEqual([
    ["Today", ["a", "b"]],
    ["Yesterday", ["c"]],
    ["Nov 20, 2026", ["d"]],
  ]);
});
