import { useState } from "react";
import { Button } from "@/components/button";
import { t } from "@/strings";

const words = t.runs.step;
const LINES = 24;

/** A value as JSON; a long one is cut until one asks for the rest, so that no box needs a scrollbar of its own. */
export function Json({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false);
  const lines = JSON.stringify(value, null, 2).split("\n");
  const cut = lines.length > LINES && !whole;
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <pre className="rounded-lg bg-raised p-3 font-mono text-xs break-words whitespace-pre-wrap">
        {(cut ? [...lines.slice(0, LINES), "…"] : lines).join("\n")}
      </pre>
      {lines.length > LINES && (
        <Button size="small" look="quiet" className="self-start" onClick={() => setWhole(!whole)}>
          {whole ? words.showLess : words.showAll(lines.length)}
        </Button>
      )}
    </div>
  );
}
