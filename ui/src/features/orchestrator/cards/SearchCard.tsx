import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { Scrolled } from "@/components/Scrolled";
import { Frame, statusOf, Trouble } from "@/features/orchestrator/cards/Frame";
import { type Hit, isObject, type Run, type Step } from "@/features/orchestrator/stream/run";
import { t } from "@/strings";

const words = t.chat.cards;
const percent = new Intl.NumberFormat("en", { style: "percent" });

export function SearchCard({ run, step }: { run: Run; step: Step }) {
  const query = isObject(step.input) && typeof step.input.query === "string" ? step.input.query : null;
  return (
    <Frame
      icon={Search}
      status={statusOf(run, step)}
      ms={step.facts.timings?.search_ms}
      title={query === null ? words.searching : words.search(query)}
    >
      {step.status === "ok" && step.hits.length === 0 && (
        <p className="text-xs text-quiet">{words.found(0)}</p>
      )}
      {step.hits.length > 0 && <Hits hits={step.hits} />}
      <Trouble step={step} />
    </Frame>
  );
}

function Hits({ hits }: { hits: Hit[] }) {
  return (
    <details className="text-xs">
      <summary className="cursor-pointer text-quiet hover:text-ink">{words.found(hits.length)}</summary>
      <Scrolled label={words.found(hits.length)} className="mt-1">
        <table className="w-full text-left">
          <thead>
            <tr className="text-quiet">
              <th scope="col" className="py-1 pr-3 font-medium">
                {words.skill}
              </th>
              {[words.score, words.words, words.meaning].map((name) => (
                <th key={name} scope="col" className="py-1 pr-3 text-right font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {hits.map((hit) => (
              <tr key={hit.name} className="border-t align-top">
                <td className="py-1 pr-3">
                  <span className="font-medium">{hit.name}</span> <span>{hit.version}</span>
                  {!hit.installed && (
                    <Link to="/skills" search={{ query: hit.name }} className="ml-1 text-accent underline">
                      {words.notInstalled}
                    </Link>
                  )}
                </td>
                <td className="py-1 pr-3 text-right tabular-nums">{hit.score.toFixed(2)}</td>
                <td className="py-1 pr-3 text-right tabular-nums">{percent.format(hit.words)}</td>
                <td className="py-1 pr-3 text-right tabular-nums">
                  {hit.similarity === null ? "–" : percent.format(hit.similarity)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
    </details>
  );
}
