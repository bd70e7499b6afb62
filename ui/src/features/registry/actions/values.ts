import type {
  Entered,
  Entries,
  Field,
  ListField,
  NumberField,
  StoredFile,
  TextField,
} from "@/features/registry/actions/fields";
import { fits } from "@/features/registry/actions/patterns";
import { isObject } from "@/features/registry/actions/schema";
import { t } from "@/strings";

const words = t.registry.form.problems;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const WHOLE = /^[+-]?\d+$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;

/** What one field comes to: a value, nothing at all, or what is wrong with what was entered. */
type Outcome = { value: unknown } | { problem: string } | null;

export interface Arguments {
  arguments: Record<string, unknown>;
  /** Ids of the uploaded files that the arguments name. */
  files: string[];
  /** What is wrong, by the name of the field; empty when the arguments can be sent. */
  problems: ReadonlyMap<string, string>;
}

/** The arguments of an action from what was entered. Fields left empty are left out. */
export function argumentsOf(fields: Field[], entered: Entries): Arguments {
  const values: [string, unknown][] = [];
  const problems: [string, string][] = [];
  for (const field of fields) {
    const outcome = outcomeOf(field, entered.get(field.name) ?? "");
    if (outcome === null) {
      if (field.required) problems.push([field.name, words.needed]);
    } else if ("problem" in outcome) problems.push([field.name, outcome.problem]);
    else values.push([field.name, outcome.value]);
  }
  const files = fields.flatMap((field) => filesIn(entered.get(field.name)).map((file) => file.id));
  return { arguments: Object.fromEntries(values), files, problems: new Map(problems) };
}

/** The arguments from one JSON text, for schemas that make no form. */
export function argumentsOfJson(entered: string): Arguments {
  const outcome = json(entered.trim() || "{}", "object");
  if ("problem" in outcome) return { arguments: {}, files: [], problems: new Map([["", outcome.problem]]) };
  return { arguments: outcome.value as Record<string, unknown>, files: [], problems: new Map() };
}

function filesIn(entered: Entered | undefined): StoredFile[] {
  return Array.isArray(entered) ? entered : [];
}

function outcomeOf(field: Field, entered: Entered): Outcome {
  if (field.kind === "file") return fileNames(filesIn(entered), field.many);
  if (typeof entered === "boolean") return { value: entered };
  const written = String(entered);
  if (written.trim() === "") return null;
  if (field.kind === "list") return list(field, written);
  if (field.kind === "json") return json(written, field.type);
  return scalar(field, written);
}

function fileNames(files: StoredFile[], many: boolean): Outcome {
  const [first] = files;
  if (!first) return null;
  return { value: many ? files.map((file) => file.name) : first.name };
}

function scalar(field: ListField["item"], written: string): Outcome {
  if (field.kind === "text") return textOutcome(field, written);
  if (field.kind === "number") return numberOutcome(field, written.trim());
  if (field.kind === "flag") return { value: written === "true" };
  const index = Number(written);
  return index in field.options ? { value: field.options[index] } : { problem: words.choice };
}

function textOutcome(field: TextField, written: string): Outcome {
  const length = [...written].length;
  if (field.minLength !== undefined && length < field.minLength)
    return { problem: words.short(field.minLength) };
  if (field.maxLength !== undefined && length > field.maxLength)
    return { problem: words.long(field.maxLength) };
  if (field.pattern && fits(field.pattern, written) === false)
    return { problem: words.pattern(field.pattern) };
  if (field.format === "email" && !EMAIL.test(written)) return { problem: words.email };
  if (field.format === "date" && !isDay(written)) return { problem: words.date };
  return { value: written };
}

function isDay(written: string): boolean {
  const time = Date.parse(`${written}T00:00:00Z`);
  return DAY.test(written) && !Number.isNaN(time) && new Date(time).toISOString().startsWith(written);
}

function numberOutcome(field: NumberField, written: string): Outcome {
  if (field.whole && !WHOLE.test(written)) return { problem: words.whole };
  if (!NUMBER.test(written)) return { problem: words.number };
  const value = Number(written);
  if (!Number.isFinite(value) || (field.whole && !Number.isSafeInteger(value)))
    return { problem: words.tooLarge };
  const problem = outside(field, value);
  return problem ? { problem } : { value };
}

function outside(field: NumberField, value: number): string | undefined {
  if (field.minimum !== undefined && value < field.minimum) return words.least(field.minimum);
  if (field.maximum !== undefined && value > field.maximum) return words.most(field.maximum);
  if (field.above !== undefined && value <= field.above) return words.above(field.above);
  if (field.below !== undefined && value >= field.below) return words.below(field.below);
  if (field.multipleOf && !isMultiple(value, field.multipleOf)) return words.multiple(field.multipleOf);
}

/** Whether it is, but for the rounding of decimal fractions. */
function isMultiple(value: number, of: number): boolean {
  const times = value / of;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times));
}

function list(field: ListField, written: string): Outcome {
  const lines = written.split("\n").map((line) => line.trim());
  const values: unknown[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const outcome = item(field.item, line);
    if (outcome && "problem" in outcome) return { problem: words.line(index + 1, outcome.problem) };
    values.push(outcome?.value);
  }
  if (field.minItems !== undefined && values.length < field.minItems)
    return { problem: words.few(field.minItems) };
  if (field.maxItems !== undefined && values.length > field.maxItems)
    return { problem: words.many(field.maxItems) };
  return { value: values };
}

/** A line of a list; choices and yes or no are written out there. */
function item(field: ListField["item"], line: string): Outcome {
  if (field.kind === "choice") {
    const found = field.options.find((option) => String(option) === line);
    return found === undefined ? { problem: words.choices(field.options.map(String)) } : { value: found };
  }
  if (field.kind === "flag" && line !== "true" && line !== "false") return { problem: words.flag };
  return scalar(field, line);
}

function json(written: string, type: string): { value: unknown } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    return { problem: words.json };
  }
  if (type === "object" && !isObject(value)) return { problem: words.object };
  if (type === "array" && !Array.isArray(value)) return { problem: words.array };
  return { value };
}
