import { expect, it } from "vitest";
import { isQuick } from "@/components/markdown/cost";

it("takes long texts as people write them", () => {
  const table = `| a | b | c |\n|---|---|---|\n${"| some *words* | more `code` | [a link](https://example.com) |\n".repeat(150)}`;
  expect(isQuick(`# Title\n\n${"Words and **more** of them, with `code`.\n\n".repeat(900)}`)).toBe(true);
  expect(isQuick(table)).toBe(true);
});

it.each([
  ["emphasis that never ends", "*a_ ".repeat(5000)],
  ["links that never end", "[a](".repeat(5000)],
  ["quotes in quotes", `${"> ".repeat(10_000)}a`],
  ["lists in lists", `${"- ".repeat(10_000)}a`],
  ["numbered lists in lists", "1. ".repeat(10_000)],
  ["a great table", `${"|a".repeat(10_000)}|`],
  ["ever longer code marks", Array.from({ length: 400 }, (_, index) => "`".repeat(index)).join("a")],
  ["very many lines", "1. a\n".repeat(2500)],
  ["many lines of quotes", `${"> ".repeat(55)}a\n\n`.repeat(100)],
  ["a very long text", "word ".repeat(50_000)],
])("refuses %s", (_, text) => expect(isQuick(text)).toBe(false));
