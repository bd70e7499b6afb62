import {
  choices,
  isObject,
  isRequired,
  number,
  properties,
  resolved,
  type Schema,
  text,
} from "@/features/registry/actions/schema";
import { t } from "@/strings";

/** One value of a schema, as a line of a table. */
export interface Row {
  /** Where it stands: `rows[].name`. */
  path: string;
  type: string;
  required: boolean;
  description: string;
  standard: string;
  limits: string[];
}

const words = t.registry.schema;
const [MOST_ROWS, MOST_DEPTH, MOST_CHOICES, MOST_CHARACTERS] = [200, 5, 20, 200];

/** The values of an object's schema, those within others after them. */
export function rowsOf(schema: Schema): Row[] {
  const rows: Row[] = [];
  const visit = (object: Schema, prefix: string, depth: number) => {
    for (const [name, property] of properties(object)) {
      if (rows.length >= MOST_ROWS) return;
      const value = resolved(property, schema);
      const path = `${prefix}${name}`;
      rows.push(rowOf(path, value, isRequired(object, name), schema));
      const [inner, suffix] = innermost(value, schema);
      if (depth < MOST_DEPTH) visit(inner, `${path}${suffix}.`, depth + 1);
    }
  };
  visit(resolved(schema, schema), "", 1);
  return rows;
}

/** What the lists of a value hold in the end, and how its path is written. */
function innermost(value: Schema, root: Schema): [Schema, string] {
  let [inner, suffix] = [value, ""];
  while (inner.type === "array" && suffix.length < 2 * MOST_DEPTH) {
    inner = resolved(inner.items, root);
    suffix += "[]";
  }
  return [inner, suffix];
}

function rowOf(path: string, value: Schema, required: boolean, root: Schema): Row {
  return {
    path,
    type: typeWords(value, root),
    required,
    description: text(value.description) || text(value.title),
    standard: Object.hasOwn(value, "default") ? brief(value.default) : "",
    limits: limits(value),
  };
}

const named: Record<string, string> = words.types;

export function typeWords(value: Schema, root: Schema, depth = 0): string {
  const allowed = choices(value);
  if (allowed) return allowed.length === 1 ? words.always : words.oneOf;
  if (value.type === "array" && depth < MOST_DEPTH) {
    return words.listOf(typeWords(resolved(value.items, root), root, depth + 1));
  }
  if (value.type === "string" && typeof value.format === "string") return words.format(value.format);
  if (Array.isArray(value.type)) return value.type.map(typeName).join(words.or);
  return typeName(value.type ?? (isObject(value.properties) ? "object" : undefined));
}

function typeName(type: unknown): string {
  return typeof type === "string" && Object.hasOwn(named, type) ? (named[type] ?? "") : words.anything;
}

function limits(value: Schema): string[] {
  const found: string[] = [];
  const bound = (key: string, inWords: (limit: number) => string) => {
    const limit = number(value[key]);
    if (limit !== undefined) found.push(inWords(limit));
  };
  const allowed = choices(value);
  if (allowed) found.push(choiceWords(allowed));
  for (const [key, inWords] of Object.entries(words.bounds)) bound(key, inWords);
  if (typeof value.pattern === "string") found.push(words.pattern(cut(value.pattern)));
  if (value.uniqueItems === true) found.push(words.unique);
  return found;
}

function choiceWords(allowed: unknown[]): string {
  const shown = allowed.slice(0, MOST_CHOICES).map(brief).join(", ");
  return allowed.length > MOST_CHOICES ? words.andMore(shown, allowed.length - MOST_CHOICES) : shown;
}

function brief(value: unknown): string {
  return cut(typeof value === "string" && value ? value : JSON.stringify(value));
}

function cut(written: string): string {
  return written.length > MOST_CHARACTERS ? `${written.slice(0, MOST_CHARACTERS)}…` : written;
}
