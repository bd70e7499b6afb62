import { describe, expect, it } from "vitest";
import { type Entered, type Field, fieldsOf, firstEntries } from "@/features/registry/actions/fields";
import type { Schema } from "@/features/registry/actions/schema";
import { argumentsOf, argumentsOfJson } from "@/features/registry/actions/values";
import { t } from "@/strings";

const words = t.registry.form.problems;

function object(properties: Record<string, Schema>, required: string[] = []): Schema {
  return { type: "object", properties, required, additionalProperties: false };
}

function only(schema: Schema, required = true): Field {
  const [field] = fieldsOf(object({ value: schema }, required ? ["value"] : [])) ?? [];
  if (!field) throw new Error("no field");
  return field;
}

/** What the one value of a form comes to: the value, or the problem's words. */
function outcome(schema: Schema, entered: Entered, required = true): unknown {
  const made = argumentsOf([only(schema, required)], new Map([["value", entered]]));
  return made.problems.get("value") ?? made.arguments.value;
}

describe("fields of a schema", () => {
  it.each<[string, Schema, Partial<Field>]>([
    ["text", { type: "string", minLength: 2, pattern: "^a" }, { kind: "text", minLength: 2, pattern: "^a" }],
    ["whole numbers", { type: "integer", minimum: 1 }, { kind: "number", whole: true, minimum: 1 }],
    ["numbers", { type: "number", exclusiveMaximum: 1 }, { kind: "number", whole: false, below: 1 }],
    ["yes or no", { type: "boolean" }, { kind: "flag", optional: false }],
    ["choices", { enum: ["A", 2, null] }, { kind: "choice", options: ["A", 2, null] }],
    ["a single value", { const: "A" }, { kind: "choice", options: ["A"] }],
    ["lists", { type: "array", items: { type: "number" }, maxItems: 3 }, { kind: "list", maxItems: 3 }],
    ["files", { type: "string", format: "file" }, { kind: "file", many: false }],
    [
      "several files",
      { type: "array", items: { type: "string", format: "file" } },
      { kind: "file", many: true },
    ],
    ["objects as JSON", { type: "object", properties: {} }, { kind: "json", type: "object" }],
    [
      "lists of objects as JSON",
      { type: "array", items: { type: "object" } },
      { kind: "json", type: "array" },
    ],
    ["what may be null", { type: ["string", "null"] }, { kind: "text" }],
    ["this or null", { anyOf: [{ type: "integer" }, { type: "null" }] }, { kind: "number", whole: true }],
    [
      "anything else as JSON",
      { oneOf: [{ type: "string" }, { type: "number" }] },
      { kind: "json", type: "" },
    ],
    ["no schema at all", true as unknown as Schema, { kind: "json" }],
  ])("makes fields for %s", (_, schema, expected) => expect(only(schema)).toMatchObject(expected));

  it("follows references, and keeps what is said beside them", () => {
    const schema = {
      ...object({ day: { $ref: "#/$defs/day", description: "First day." } }),
      $defs: { day: { type: "string", format: "date", description: "A day." } },
    };
    expect(fieldsOf(schema)).toMatchObject([{ kind: "text", format: "date", description: "First day." }]);
  });

  it("comes out of references that run in circles or lead nowhere", () => {
    const schema = {
      ...object({
        one: { $ref: "#/$defs/a" },
        two: { $ref: "#/$defs/none" },
        three: { $ref: "https://x.test" },
      }),
      $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } },
    };
    expect(fieldsOf(schema)?.map((field) => field.kind)).toEqual(["json", "json", "json"]);
  });

  it("knows an action without input from one that takes any", () => {
    expect(fieldsOf(object({}))).toEqual([]);
    expect(fieldsOf({ type: "object" })).toEqual([]);
    expect(fieldsOf({ type: "object", additionalProperties: { type: "string" } })).toBeNull();
    expect(fieldsOf({ oneOf: [{ type: "object" }, { type: "array" }] })).toBeNull();
  });

  it("begins with the schema's defaults", () => {
    const schema = object({
      text: { type: "string", default: "EUR" },
      limit: { type: "integer", default: 50 },
      on: { type: "boolean", default: true },
      maybe: { type: "boolean" },
      status: { enum: ["ENABLED", "ANY"], default: "ANY" },
      tags: { type: "array", items: { type: "string" }, default: ["a", "b"] },
      more: { type: "object", default: { a: 1 } },
    });
    const fields = fieldsOf(schema) ?? [];
    const entries = firstEntries(fields, schema);
    expect(Object.fromEntries(entries)).toMatchObject({
      text: "EUR",
      limit: "50",
      on: true,
      maybe: "",
      status: "1",
      tags: "a\nb",
    });
    expect(argumentsOf(fields, entries)).toEqual({
      arguments: { text: "EUR", limit: 50, on: true, status: "ANY", tags: ["a", "b"], more: { a: 1 } },
      files: [],
      problems: new Map(),
    });
  });
});

describe("arguments from what was entered", () => {
  it.each<[string, Schema, Entered, unknown]>([
    ["text as it is", { type: "string" }, " a ", " a "],
    ["a whole number", { type: "integer" }, " 42 ", 42],
    ["a negative number", { type: "number" }, "-1.5e3", -1500],
    ["yes", { type: "boolean" }, true, true],
    ["no", { type: "boolean" }, false, false],
    ["a choice of its own type", { enum: ["a", 2] }, "1", 2],
    ["a list, empty lines left out", { type: "array", items: { type: "integer" } }, "1\n\n 2 \n", [1, 2]],
    ["a list of choices", { type: "array", items: { enum: ["a", 2] } }, "2\na", [2, "a"]],
    ["a list of yes and no", { type: "array", items: { type: "boolean" } }, "true\nfalse", [true, false]],
    ["an object", { type: "object" }, '{"a": [1]}', { a: [1] }],
    ["a day", { type: "string", format: "date" }, "2026-02-28", "2026-02-28"],
    ["decimal multiples", { type: "number", multipleOf: 0.1 }, "0.3", 0.3],
  ])("takes %s", (_, schema, entered, value) => expect(outcome(schema, entered)).toEqual(value));

  it.each<[string, Schema, Entered, string]>([
    ["nothing where something is needed", { type: "string" }, "  ", words.needed],
    ["no choice", { enum: ["a"] }, "", words.needed],
    ["a missing file", { type: "string", format: "file" }, [], words.needed],
    ["words for a number", { type: "number" }, "many", words.number],
    ["hexadecimal", { type: "number" }, "0x10", words.number],
    ["endless numbers", { type: "number" }, "1e999", words.tooLarge],
    ["a fraction for a whole number", { type: "integer" }, "1.5", words.whole],
    ["a number that would lose digits", { type: "integer" }, "9007199254740993", words.tooLarge],
    ["too little", { type: "integer", minimum: 1 }, "0", words.least(1)],
    ["too much", { type: "integer", maximum: 5 }, "6", words.most(5)],
    ["the excluded least", { type: "number", exclusiveMinimum: 0 }, "0", words.above(0)],
    ["the excluded most", { type: "number", exclusiveMaximum: 1 }, "1", words.below(1)],
    ["what is no multiple", { type: "integer", multipleOf: 5 }, "7", words.multiple(5)],
    ["too short", { type: "string", minLength: 3 }, "ab", words.short(3)],
    ["too long, in characters", { type: "string", maxLength: 2 }, "😀😀😀", words.long(2)],
    [
      "what does not match",
      { type: "string", pattern: "^[0-9]{1,20}$" },
      "12a",
      words.pattern("^[0-9]{1,20}$"),
    ],
    ["no address", { type: "string", format: "email" }, "me", words.email],
    ["no day", { type: "string", format: "date" }, "2026-02-30", words.date],
    ["a bad line", { type: "array", items: { type: "integer" } }, "1\nx", words.line(2, words.whole)],
    ["too few lines", { type: "array", items: { type: "string" }, minItems: 2 }, "a", words.few(2)],
    ["too many lines", { type: "array", items: { type: "string" }, maxItems: 1 }, "a\nb", words.many(1)],
    ["broken JSON", { type: "object" }, "{a}", words.json],
    ["a list for an object", { type: "object" }, "[]", words.object],
    ["an object for a list", { type: "array", items: {} }, "{}", words.array],
  ])("refuses %s", (_, schema, entered, problem) => expect(outcome(schema, entered)).toBe(problem));

  it("leaves out what is optional and empty", () => {
    const fields =
      fieldsOf(object({ a: { type: "string" }, b: { type: "boolean" }, c: { enum: [1] } })) ?? [];
    const empty = new Map(["a", "b", "c"].map((name) => [name, ""]));
    expect(argumentsOf(fields, empty)).toEqual({ arguments: {}, files: [], problems: new Map() });
    expect(argumentsOf(fields, new Map([["b", "false"]])).arguments).toEqual({ b: false });
  });

  it("names files, and sends their ids beside", () => {
    const fields = fieldsOf(
      object({
        one: { type: "string", format: "file" },
        more: { type: "array", items: { type: "string", format: "file" } },
      }),
    );
    const file = (id: string, name: string) => ({ id, name, size: 1 });
    const made = argumentsOf(
      fields ?? [],
      new Map([
        ["one", [file("1", "a.csv")]],
        ["more", [file("2", "b.csv"), file("3", "c.csv")]],
      ]),
    );
    expect(made.arguments).toEqual({ one: "a.csv", more: ["b.csv", "c.csv"] });
    expect(made.files).toEqual(["1", "2", "3"]);
  });

  it("takes hostile names as names", () => {
    const schema = JSON.parse(
      '{"properties": {"__proto__": {"type": "string"}, "constructor": {"type": "string"}}, "required": ["constructor"]}',
    ) as Schema;
    const fields = fieldsOf(schema) ?? [];
    const entries = firstEntries(fields, schema);
    expect([...entries.values()]).toEqual(["", ""]);
    const made = argumentsOf(fields, new Map(entries).set("__proto__", "x"));
    expect(JSON.stringify(made.arguments)).toBe('{"__proto__":"x"}');
    expect([...made.problems]).toEqual([["constructor", words.needed]]);
  });

  it.each([
    ["nested repeats", "^(a+)+$"],
    ["many repeats", "a*a*a*a*a*b"],
    ["a repeated choice", "^(a|a)*$"],
    ["looking ahead", "^(?=a*)b"],
    ["no pattern at all", "["],
  ])("leaves patterns with %s to the server", (_, pattern) => {
    const hard = `${"a".repeat(60)}!`;
    expect(outcome({ type: "string", pattern }, hard)).toBe(hard);
  });

  it("takes one JSON text where there is no form", () => {
    expect(argumentsOfJson(" ").arguments).toEqual({});
    expect(argumentsOfJson('{"a": 1}').arguments).toEqual({ a: 1 });
    expect(argumentsOfJson("[1]").problems).toEqual(new Map([["", words.object]]));
  });
});
