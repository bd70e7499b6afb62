import { describe, expect, test } from "vitest";
import { blocksOf } from "@/features/orchestrator/chat/blocks";

describe("a text in blocks", () => {
  test.each([
    ["paragraphs", "one\ntwo\n\nthree\n", ["one\ntwo\n", "three\n"]],
    ["code with blank lines", "```py\na\n\nb\n```\n\nend", ["```py\na\n\nb\n```\n", "end"]],
    ["code that is still open", "text\n\n~~~\na\n\n```\n\nb", ["text\n", "~~~\na\n\n```\n\nb"]],
    ["longer fences around shorter", "````\n```\n\n```\n````\n\nend", ["````\n```\n\n```\n````\n", "end"]],
    ["loose lists with paragraphs", "1. a\n\n   more\n\n2. b\n\nend", ["1. a\n\n   more\n\n2. b\n", "end"]],
    ["what defines links", "[a] and\n\n[a]: https://example.com", ["[a] and\n\n[a]: https://example.com"]],
    ["nothing", "\n\n", []],
  ])("%s", (_, text, blocks) => expect(blocksOf(text)).toEqual(blocks));

  test("is the same text", () => {
    const text = "# A\n\npara\n\n- a\n\n- b\n\n| x |\n|---|\n| 1 |\n\n```\n\n\n```\nend";
    expect(blocksOf(text).join("\n")).toBe(text);
  });

  test("changes only at its end while it grows", () => {
    const text = "# A\n\npara\n\nother para\n\n```\n\n\n```\n\n## end\n\ntext";
    let before: string[] = [];
    for (let length = 1; length <= text.length; length += 1) {
      const blocks = blocksOf(text.slice(0, length));
      expect(blocks.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      before = blocks;
    }
  });
});
