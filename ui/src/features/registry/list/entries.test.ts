import { describe, expect, it } from "vitest";
import { canUpgrade, fits, fromHit } from "@/features/registry/list/entries";

const hit = {
  name: "notes",
  ref: "acme/notes",
  version: "1.0.0",
  description: "Keeps notes.",
  score: 1,
  words: 0.5,
  similarity: 0.1,
  installed: true,
};
const installation = {
  id: "",
  ref: "acme/notes",
  namespace: "acme",
  name: "notes",
  version: "1.0.0",
  latest_version: "1.2.0",
  digest: "",
  description: "",
  granted: { limits: {} as never },
  permissions: [],
  installed_at: "",
};

describe("a skill that was found", () => {
  it("knows what is installed, and what could be", () => {
    const entry = fromHit(hit, [installation]);
    expect(entry).toMatchObject({ namespace: "acme", name: "notes", installed: "1.0.0", version: "1.2.0" });
    expect(canUpgrade(entry)).toBe(true);
    expect(canUpgrade(fromHit({ ...hit, installed: false }, []))).toBe(false);
  });

  it.each([
    [0.5, 0, true],
    [0, 0.4, true],
    [0.1, 0.2, false],
    [0, -1, false],
  ])("with words %d and similarity %d fits: %s", (words, similarity, expected) => {
    expect(fits(fromHit({ ...hit, words, similarity }, []))).toBe(expected);
  });
});
