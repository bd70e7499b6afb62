import {
  choices,
  isRequired,
  number,
  properties,
  resolved,
  type Schema,
  text,
} from "@/features/registry/actions/schema";

interface Common {
  name: string;
  description: string;
  required: boolean;
}

export interface TextField extends Common {
  kind: "text";
  format: string;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

export interface NumberField extends Common {
  kind: "number";
  whole: boolean;
  minimum?: number;
  maximum?: number;
  above?: number;
  below?: number;
  multipleOf?: number;
}

/** `optional`: neither yes nor no is an answer too. */
export interface FlagField extends Common {
  kind: "flag";
  optional: boolean;
}

export interface ChoiceField extends Common {
  kind: "choice";
  options: unknown[];
}

/** Several values of one kind, one a line. */
export interface ListField extends Common {
  kind: "list";
  item: TextField | NumberField | FlagField | ChoiceField;
  minItems?: number;
  maxItems?: number;
}

export interface FileField extends Common {
  kind: "file";
  many: boolean;
}

export interface JsonField extends Common {
  kind: "json";
  type: string;
}

export type Field = TextField | NumberField | FlagField | ChoiceField | ListField | FileField | JsonField;

/** What a person has entered: text of any kind, yes or no, or files that were uploaded. */
export type Entered = string | boolean | StoredFile[];
export interface StoredFile {
  id: string;
  name: string;
  size: number;
}

/** What was entered, by the names of the fields; a map, as a field may be called `constructor`. */
export type Entries = ReadonlyMap<string, Entered>;

const MOST_FIELDS = 60;
const ITEMS = ["text", "number", "choice", "flag"];

/** The fields of a form for the schema's object; null when it is no plain object, and one JSON text is the form. */
export function fieldsOf(schema: Schema): Field[] | null {
  const object = resolved(schema, schema);
  const found = properties(object);
  const plain = object.type === "object" || found.length > 0;
  if (!plain || found.length > MOST_FIELDS || isOpen(object, found.length)) return null;
  return found.map(([name, value]) =>
    fieldOf(name, resolved(value, schema), isRequired(object, name), schema),
  );
}

/** Whether the object's values are not told by name. */
function isOpen(object: Schema, known: number): boolean {
  return known === 0 && object.additionalProperties !== false && Boolean(object.additionalProperties);
}

function fieldOf(name: string, value: Schema, required: boolean, root: Schema): Field {
  const common = { name, required, description: text(value.description) || text(value.title) };
  const allowed = choices(value);
  if (allowed) return { ...common, kind: "choice", options: allowed };
  switch (value.type) {
    case "string":
      return value.format === "file" ? { ...common, kind: "file", many: false } : textField(common, value);
    case "integer":
    case "number":
      return numberField(common, value);
    case "boolean":
      return { ...common, kind: "flag", optional: !required && typeof value.default !== "boolean" };
    case "array":
      return listField(common, value, root);
    default:
      return { ...common, kind: "json", type: text(value.type) };
  }
}

function textField(common: Common, value: Schema): TextField {
  return {
    ...common,
    kind: "text",
    format: text(value.format),
    minLength: number(value.minLength),
    maxLength: number(value.maxLength),
    pattern: text(value.pattern) || undefined,
  };
}

function numberField(common: Common, value: Schema): NumberField {
  return {
    ...common,
    kind: "number",
    whole: value.type === "integer",
    minimum: number(value.minimum),
    maximum: number(value.maximum),
    above: number(value.exclusiveMinimum),
    below: number(value.exclusiveMaximum),
    multipleOf: number(value.multipleOf),
  };
}

function listField(common: Common, value: Schema, root: Schema): Field {
  const item = fieldOf(common.name, resolved(value.items, root), true, root);
  if (item.kind === "file") return { ...common, kind: "file", many: true };
  if (!ITEMS.includes(item.kind)) return { ...common, kind: "json", type: "array" };
  return {
    ...common,
    kind: "list",
    item: item as ListField["item"],
    minItems: number(value.minItems),
    maxItems: number(value.maxItems),
  };
}

/** What stands in the form before anybody has typed: the schema's own defaults. */
export function firstEntries(fields: Field[], schema: Schema): Entries {
  const known = new Map(properties(resolved(schema, schema)));
  return new Map(
    fields.map((field) => [field.name, firstEntry(field, resolved(known.get(field.name), schema).default)]),
  );
}

function firstEntry(field: Field, standard: unknown): Entered {
  switch (field.kind) {
    case "file":
      return [];
    case "flag":
      return field.optional ? "" : standard === true;
    case "choice": {
      const chosen = field.options.findIndex((option) => same(option, standard));
      return chosen < 0 ? "" : String(chosen);
    }
    case "json":
      return standard === undefined ? "" : JSON.stringify(standard, null, 2);
    case "list":
      return Array.isArray(standard) ? standard.map(String).join("\n") : "";
    default:
      return standard === undefined || standard === null ? "" : String(standard);
  }
}

function same(one: unknown, other: unknown): boolean {
  return other !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
