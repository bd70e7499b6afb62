import { describe, expect, it } from "vitest";
import { rowsOf } from "@/features/registry/actions/rows";
import type { Schema } from "@/features/registry/actions/schema";

describe("a schema as a table", () => {
  it("says what each value is, in words, what is required first", () => {
    const rows = rowsOf({
      type: "object",
      properties: {
        status: { enum: ["ON", "OFF"], default: "ON", description: "Which." },
        limit: { type: "integer", minimum: 1, maximum: 5000 },
        file: { type: "string", format: "file" },
        rows: {
          type: "array",
          items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
        },
      },
      required: ["file"],
    });
    expect(
      rows.map((row) => [row.path, row.type, row.required, row.standard, row.limits.join("; ")]),
    ).toEqual([
      ["file", "file", true, "", ""],
      ["status", "one of", false, "ON", "ON, OFF"],
      ["limit", "whole number", false, "", "at least 1; at most 5,000"],
      ["rows", "list of object", false, "", ""],
      ["rows[].name", "text", true, "", ""],
    ]);
    expect(rows[1]?.description).toBe("Which.");
  });

  it("ends, whatever it is given", () => {
    const circle = {
      type: "object",
      properties: { next: { $ref: "#" }, list: { type: "array", items: { $ref: "#/properties/list" } } },
    };
    const wide = { properties: Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`p${n}`, {}])) };
    const long = {
      properties: {
        a: { enum: Array.from({ length: 1000 }, () => "x".repeat(1000)), default: "y".repeat(9999) },
      },
    };
    const odd = { properties: { a: null, b: 7, c: { type: 7, enum: "no", required: 1, default: null } } };
    expect(rowsOf(circle).length).toBeLessThanOrEqual(200);
    expect(rowsOf(wide)).toHaveLength(200);
    expect(rowsOf(long)[0]?.limits.join().length).toBeLessThan(6000);
    expect(rowsOf(odd as Schema)).toHaveLength(3);
  });
});
