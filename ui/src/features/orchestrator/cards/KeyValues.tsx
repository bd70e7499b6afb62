import { Scrolled } from "@/components/Scrolled";
import type { Json } from "@/features/orchestrator/stream/events";
import { isObject } from "@/features/orchestrator/stream/run";
import { t } from "@/strings";

const words = t.chat.cards;
const DEEPEST = 3;
const MOST_ROWS = 12;
const LONG = 40;
const numbers = new Intl.NumberFormat("en", { maximumSignificantDigits: 6, useGrouping: "min2" });

/** JSON for reading, and the same as it is for whoever wants it exactly. */
export function KeyValues({ value }: { value: Json | undefined }) {
  if (value === undefined) return <p className="text-quiet">{words.nothing}</p>;
  return (
    <div className="flex flex-col gap-2">
      <Value value={value} depth={0} />
      <details>
        <summary className="cursor-pointer text-quiet hover:text-ink">{words.raw}</summary>
        <Scrolled label={words.raw} className="mt-1 max-h-72 rounded bg-raised p-2">
          <pre className="font-mono">{JSON.stringify(value, null, 2)}</pre>
        </Scrolled>
      </details>
    </div>
  );
}

function Value({ value, depth }: { value: Json; depth: number }) {
  if (value === null || typeof value !== "object") return <Scalar value={value} />;
  const empty = Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
  if (empty) return <span className="text-quiet">{words.nothing}</span>;
  if (depth >= DEEPEST) return <code className="font-mono break-all">{JSON.stringify(value)}</code>;
  if (!Array.isArray(value)) return <Fields fields={value} depth={depth} />;
  const rows = value.filter(isObject);
  return rows.length === value.length ? <Rows rows={rows} /> : <Items items={value} depth={depth} />;
}

function Scalar({ value }: { value: null | boolean | number | string }) {
  if (value === null) return <span className="text-quiet">–</span>;
  if (typeof value === "number") return <span className="tabular-nums">{numbers.format(value)}</span>;
  return <span className="break-words whitespace-pre-wrap">{String(value)}</span>;
}

function Fields({ fields, depth }: { fields: { [key: string]: Json }; depth: number }) {
  return (
    <dl className="flex flex-col gap-1.5">
      {Object.entries(fields).map(([key, value]) => (
        <div key={key} className="flex flex-col gap-x-3 sm:flex-row">
          <dt className="w-28 shrink-0 break-words text-quiet">{spoken(key)}</dt>
          <dd className="min-w-0 flex-1">
            <Value value={value} depth={depth + 1} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Items({ items, depth }: { items: Json[]; depth: number }) {
  const shown = items.slice(0, MOST_ROWS);
  return (
    <ul className="list-disc pl-4">
      {placed(shown).map(({ key, item }) => (
        <li key={key}>
          <Value value={item} depth={depth + 1} />
        </li>
      ))}
      {items.length > shown.length && (
        <li className="text-quiet">{words.more(items.length - shown.length)}</li>
      )}
    </ul>
  );
}

function Rows({ rows }: { rows: { [key: string]: Json }[] }) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const shown = rows.slice(0, MOST_ROWS);
  return (
    <Scrolled label={words.output}>
      <table className="text-left">
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className="py-1 pr-4 font-medium whitespace-nowrap text-quiet">
                {spoken(column)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {placed(shown).map(({ key, item: row }) => (
            <tr key={key} className="border-t">
              {columns.map((column) => (
                <td key={column} className="py-1 pr-4 align-top">
                  <Cell value={row[column] ?? null} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length && <p className="text-quiet">{words.more(rows.length - shown.length)}</p>}
    </Scrolled>
  );
}

/** What does not fit a table is cut; the JSON below has it whole. */
function Cell({ value }: { value: Json }) {
  if (value === null || typeof value !== "object") {
    const long = typeof value === "string" && value.length > LONG;
    return (
      <div className={long ? "min-w-56" : "min-w-max"}>
        <Scalar value={value} />
      </div>
    );
  }
  return <code className="block max-w-48 truncate font-mono">{JSON.stringify(value)}</code>;
}

/** What never moves is known by its place. */
const placed = <T,>(items: T[]) => items.map((item, place) => ({ item, key: String(place) }));

/** `base_per_result` as people say it. */
function spoken(key: string): string {
  const text = key.replaceAll(/[_-]+/g, " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
