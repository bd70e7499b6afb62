import type { ReactNode } from "react";
import { HiddenCharacters, TextByOthers } from "@/components/HiddenCharacters";
import { Scrolled } from "@/components/Scrolled";
import { type Row, rowsOf } from "@/features/registry/actions/rows";
import { resolved, type Schema } from "@/features/registry/actions/schema";
import { t } from "@/strings";

const words = t.registry.schema;
const actionWords = t.registry.actions;
const MOST_RAW = 20_000;

interface Props {
  title: string;
  label: string;
  schema: Schema;
  /** Shown only when asked for. */
  folded?: boolean;
}

/** What an action takes or gives: a table to read, and the schema itself for who wants it. */
export function SchemaTable({ title, label, schema, folded }: Props) {
  const rows = rowsOf(schema);
  if (rows.length === 0) {
    return (
      <div className="text-sm">
        <h4 className="font-semibold">{title}</h4>
        <p className="text-quiet">{isClosed(schema) ? actionWords.nothing : actionWords.untold}</p>
      </div>
    );
  }
  return (
    <details open={!folded} className="min-w-0">
      <summary className="cursor-pointer text-sm">
        <h4 className="inline font-semibold">{title}</h4>{" "}
        <span className="text-xs text-quiet">{actionWords.values(rows.length)}</span>
      </summary>
      <div className="mt-2 flex min-w-0 flex-col gap-2">
        <Table rows={rows} label={label} />
        <Raw schema={schema} />
      </div>
    </details>
  );
}

function isClosed(schema: Schema): boolean {
  return resolved(schema, schema).additionalProperties === false;
}

interface Column {
  name: string;
  of: (row: Row) => ReactNode;
}

const columns: Column[] = [
  {
    name: words.name,
    of: (row) => <code className="block max-w-48 font-mono text-xs break-words">{row.path}</code>,
  },
  { name: words.type, of: (row) => row.type },
  { name: words.required, of: (row) => (row.required ? words.yes : words.no) },
  { name: words.description, of: (row) => row.description && <Words text={row.description} /> },
  { name: words.standard, of: (row) => row.standard && <TextByOthers text={row.standard} /> },
  { name: words.limits, of: (row) => row.limits.length > 0 && <Words text={row.limits.join("; ")} /> },
];

/** Columns that say nothing in any row are left out. */
function Table({ rows, label }: { rows: Row[]; label: string }) {
  const shown = columns.filter(({ of }) => rows.some((row) => of(row)));
  return (
    <Scrolled label={label} className="rounded-lg border">
      <table className="w-full text-left text-sm">
        <thead className="bg-raised text-xs text-quiet">
          <tr>
            {shown.map(({ name }) => (
              <th key={name} scope="col" className="px-3 py-2 font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y">
          {rows.map((row) => (
            <tr key={row.path} className="align-top">
              {shown.map(({ name, of }) => (
                <td key={name} className="max-w-80 px-3 py-2 break-words">
                  {of(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

function Words({ text }: { text: string }) {
  return (
    <span className="flex min-w-32 flex-col gap-1">
      <TextByOthers text={text} />
      <HiddenCharacters text={text} />
    </span>
  );
}

function Raw({ schema }: { schema: Schema }) {
  const written = JSON.stringify(schema, null, 2);
  return (
    <details className="text-sm">
      <summary className="cursor-pointer text-quiet hover:text-ink">{actionWords.raw}</summary>
      <pre className="mt-2 rounded-lg bg-raised p-3 font-mono text-xs break-all whitespace-pre-wrap">
        {written.slice(0, MOST_RAW)}
      </pre>
      {written.length > MOST_RAW && <p className="text-xs text-quiet">{actionWords.cut}</p>}
    </details>
  );
}
