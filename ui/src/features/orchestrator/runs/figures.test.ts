import { expect, test } from "vitest";
import { cost, duration, kindOf, subjectOf, tokens, waited } from "@/features/orchestrator/runs/figures";

const NOW = Date.parse("2026-11-25T12:00:10Z");

test("how long a run took, takes, and waited", () => {
  const times = { created_at: "2026-11-25T12:00:00Z", started_at: "2026-11-25T12:00:00.250Z" };
  expect(duration({ ...times, finished_at: "2026-11-25T12:00:01.490Z" }, NOW)).toBe("1.2 s");
  expect(duration({ ...times, finished_at: null }, NOW)).toBe("9.8 s");
  expect(duration({ started_at: null, finished_at: null }, NOW)).toBe("–");
  expect(waited(times)).toBe("250 ms");
  expect(waited({ ...times, started_at: null })).toBe("–");
});

test("tokens and cost; nothing is not the same as not known", () => {
  expect(tokens({ input_tokens: 1_200, output_tokens: 34 })).toBe("1,234");
  expect(tokens({ input_tokens: 0, output_tokens: 0, requests: 3 })).toBe("–");
  expect(cost({ cost_microusd: 4_560 })).toBe("$0.0046");
  expect(cost({ cost_microusd: 0 })).toBe("$0");
  expect(cost({})).toBe("–");
});

const made = (
  name: string,
  input: object | null,
  output: object | null,
  kind: "model" | "tool" = "tool",
) => ({
  kind,
  name,
  input: input as Record<string, unknown> | null,
  output: output as Record<string, unknown> | null,
});

test.each([
  [made("offline", null, null, "model"), "model", "offline"],
  [made("direct", null, { requests: 1 }, "model"), "given", "As entered; no model was asked"],
  [made("search_skills", { arguments: { query: "more budget" } }, { found: 3 }), "search", "“more budget”"],
  [made("load_skill", { arguments: { name: "analytics" } }, null), "load", "analytics"],
  [
    made("load_skill", { arguments: { name: "analytics" } }, { skill: "analytics", version: "1.0.0" }),
    "load",
    "analytics 1.0.0",
  ],
  [made("analytics__compare", { arguments: {} }, null), "action", "analytics · compare"],
  [made("read_skill_file", { arguments: "not JSON" }, null), "tool", "read_skill_file"],
])("%o", (step, kind, subject) => {
  expect(kindOf(step)).toBe(kind);
  expect(subjectOf(step)).toBe(subject);
});
