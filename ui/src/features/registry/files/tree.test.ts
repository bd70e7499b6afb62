import { expect, it } from "vitest";
import { pathFrom, treeOf } from "@/features/registry/files/tree";

const file = (path: string) => ({ path, size: 1, sha256: "", executable: false });

it("puts files into their folders", () => {
  const root = treeOf(
    ["skill.toml", "scripts/b.py", "scripts/lib/a.py", "SKILL.md", "__proto__/x"].map(file),
  );
  expect(root.files.map((found) => found.path)).toEqual(["SKILL.md", "skill.toml"]);
  expect(root.folders.map((folder) => folder.name)).toEqual(["__proto__", "scripts"]);
  expect(root.folders[1]?.folders[0]?.files[0]?.path).toBe("scripts/lib/a.py");
});

it("finds what a relative address means, and nothing outside the skill", () => {
  expect(pathFrom("SKILL.md", "references/a%20b.md#top")).toBe("references/a b.md");
  expect(pathFrom("docs/a.md", "../SKILL.md?x")).toBe("SKILL.md");
  expect(pathFrom("SKILL.md", "../../etc/passwd")).toBeUndefined();
  expect(pathFrom("SKILL.md", "%E0%A4%A")).toBeUndefined();
});
