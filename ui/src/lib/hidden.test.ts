import { describe, expect, it } from "vitest";
import { hiddenIn, pieces, visible } from "@/lib/hidden";

describe("hidden characters", () => {
  it.each([
    ["a right-to-left override", "pay\u202Eexe.txt", ["U+202E"]],
    ["an isolate", "a\u2066b\u2069", ["U+2066", "U+2069"]],
    ["a zero-width space", "pay\u200Bpal", ["U+200B"]],
    ["a joiner between Latin letters", "pay\u200Dpal", ["U+200D"]],
    ["words written in tags", "hello\u{E0069}\u{E0067}", ["U+E0067", "U+E0069"]],
    ["bytes in variation selectors", "a\u{E0101}", ["U+E0101"]],
  ])("finds %s", (_, text, names) => expect(hiddenIn(text)).toEqual(names));

  it.each([
    ["plain text", "Ça va, 你好, שלום, مرحبا"],
    ["an emoji family", "👩\u200D👩\u200D👧"],
    ["an emoji with a skin tone and a joiner", "👩🏽\u200D💻"],
    ["a flag made of tags", "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}"],
    ["a non-joiner in Persian", "می\u200Cخواهم"],
  ])("leaves %s alone", (_, text) => expect(hiddenIn(text)).toEqual([]));

  it("writes them out", () => expect(visible("a\u202Eb")).toBe("a⟦U+202E⟧b"));

  it("shows them by name where they stand", () => {
    expect(pieces("a\u202Eb")).toEqual([
      { at: 0, text: "a", hidden: false },
      { at: 1, text: "U+202E", hidden: true },
      { at: 2, text: "b", hidden: false },
    ]);
  });

  it("marks no more than is asked for, and loses nothing", () => {
    const shown = pieces("\u200B\u200B\u200Bend", 2);
    expect(shown.map((piece) => piece.hidden)).toEqual([true, true, false]);
    expect(shown.at(-1)?.text).toBe("\u200Bend");
  });
});
