import { expect, test } from "vitest";
import { ago, bytes, count, dollars, milliseconds } from "@/lib/format";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_500, "1.5 kB"],
  [250_000, "250 kB"],
  [209_715_200, "210 MB"],
])("%d bytes", (size, text) => expect(bytes(size)).toBe(text));

test.each([
  [0.364, "0.4 ms"],
  [454.7, "455 ms"],
  [1_240, "1.2 s"],
  [125_000, "2 min 5 s"],
])("%d ms", (ms, text) => expect(milliseconds(ms)).toBe(text));

test.each([
  [0, "$0"],
  [12, "$0.000012"],
  [1_234_567, "$1.23"],
])("%d millionths of a dollar", (sum, text) => expect(dollars(sum)).toBe(text));

test("how long ago", () => {
  const now = Date.parse("2026-11-25T12:00:00Z");
  expect(ago("2026-11-25T11:57:00Z", now)).toBe("3 minutes ago");
  expect(ago("2026-11-24T12:00:00Z", now)).toBe("yesterday");
});

test("a number of things", () => {
  expect(count(1_234_567)).toBe("1,234,567");
  expect(count(41.7)).toBe("42");
});
