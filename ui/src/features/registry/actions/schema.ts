/** JSON Schemas that others wrote: any value may stand anywhere, references may run in circles. */
export type Schema = Record<string, unknown>;

const MOST_STEPS = 10;

export function isObject(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The schema itself: local references followed, and "this or null" taken as this. */
export function resolved(schema: unknown, root: Schema): Schema {
  let found = schema;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (!isObject(found)) return {};
    const next = referred(found, root) ?? orNull(found);
    if (next === undefined) return withoutNull(found);
    // What stands beside a reference is about this place: its description, its default.
    const { $ref, anyOf, oneOf, ...here } = found;
    found = isObject(next) ? { ...next, ...here } : next;
  }
  return {};
}

function referred(schema: Schema, root: Schema): unknown {
  const reference = schema.$ref;
  if (typeof reference !== "string") return undefined;
  if (!reference.startsWith("#")) return {};
  const steps = reference.slice(1).split("/").slice(1);
  const keys = steps.map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return keys.reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : {}), root);
}

function orNull(schema: Schema): unknown {
  const choices = schema.anyOf ?? schema.oneOf;
  if (!Array.isArray(choices) || choices.length !== 2) return undefined;
  const rest = choices.filter((choice) => !(isObject(choice) && choice.type === "null"));
  return rest.length === 1 ? rest[0] : undefined;
}

function withoutNull(schema: Schema): Schema {
  if (!Array.isArray(schema.type)) return schema;
  const types = schema.type.filter((type) => type !== "null");
  return types.length === 1 ? { ...schema, type: types[0] } : schema;
}

/** The values of an object by name, those that are required first. */
export function properties(schema: Schema): [string, unknown][] {
  const all = isObject(schema.properties) ? Object.entries(schema.properties) : [];
  const [first, rest] = [true, false].map((wanted) =>
    all.filter(([name]) => isRequired(schema, name) === wanted),
  );
  return [...(first ?? []), ...(rest ?? [])];
}

export function isRequired(schema: Schema, name: string): boolean {
  return Array.isArray(schema.required) && schema.required.includes(name);
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** The values that a schema allows, when it lists them. */
export function choices(schema: Schema): unknown[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum;
  return Object.hasOwn(schema, "const") ? [schema.const] : undefined;
}
