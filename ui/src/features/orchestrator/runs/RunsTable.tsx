import { Link } from "@tanstack/react-router";
import { Badge } from "@/components/layout";
import { Fact } from "@/features/orchestrator/runs/Facts";
import { cost, duration, NOT_KNOWN, tokens } from "@/features/orchestrator/runs/figures";
import { RunStatus } from "@/features/orchestrator/runs/RunStatus";
import type { RunSummary } from "@/features/orchestrator/runs/types";
import { When } from "@/features/orchestrator/runs/When";
import { t } from "@/strings";

const words = t.runs;
const { columns } = words;

interface Props {
  runs: RunSummary[];
  /** When the list was read: open runs have lasted until then. */
  now: number;
}

/** Runs where there is room for columns. */
export function RunsTable({ runs, now }: Props) {
  return (
    <div className="hidden overflow-hidden rounded-xl border bg-surface lg:block">
      <table className="w-full text-left text-sm">
        <thead className="border-b bg-raised text-xs text-quiet">
          <tr>
            {[columns.question, columns.status, columns.model, columns.skills].map((column) => (
              <th key={column} scope="col" className="px-4 py-2.5 font-medium">
                {column}
              </th>
            ))}
            {[columns.duration, columns.tokens, columns.cost].map((column) => (
              <th key={column} scope="col" className="px-3 py-2.5 text-right font-medium">
                {column}
              </th>
            ))}
            <th scope="col" className="px-4 py-2.5 font-medium">
              {columns.when}
            </th>
          </tr>
        </thead>
        <tbody className="divide-y">
          {runs.map((run) => (
            <Row key={run.id} run={run} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ run, now }: { run: RunSummary; now: number }) {
  const number = "px-3 py-3 text-right whitespace-nowrap tabular-nums";
  return (
    <tr className="align-top hover:bg-raised">
      <th scope="row" className="max-w-72 px-4 py-3 font-normal">
        <Question run={run} />
      </th>
      <td className="px-4 py-3">
        <RunStatus status={run.status} />
      </td>
      <td className="max-w-40 px-4 py-3 break-words">{run.model ?? NOT_KNOWN}</td>
      <td className="max-w-40 px-4 py-3 break-words">{run.skills.join(", ") || NOT_KNOWN}</td>
      <td className={number}>{duration(run, now)}</td>
      <td className={number}>{tokens(run.usage)}</td>
      <td className={number}>{cost(run.usage)}</td>
      <td className="px-4 py-3 whitespace-nowrap">
        <When at={run.created_at} />
      </td>
    </tr>
  );
}

/** The same where there is not. */
export function RunCards({ runs, now }: Props) {
  return (
    <ul className="flex flex-col gap-3 lg:hidden">
      {runs.map((run) => (
        <li key={run.id} className="flex flex-col gap-3 rounded-xl border bg-surface p-4">
          <div className="flex items-start justify-between gap-3">
            <Question run={run} />
            <RunStatus status={run.status} />
          </div>
          <dl className="grid grid-cols-2 gap-x-4 gap-y-1.5 text-sm sm:grid-cols-3">
            <Fact label={columns.model}>{run.model ?? NOT_KNOWN}</Fact>
            <Fact label={columns.skills}>{run.skills.join(", ") || NOT_KNOWN}</Fact>
            <Fact label={columns.duration}>{duration(run, now)}</Fact>
            <Fact label={columns.tokens}>{tokens(run.usage)}</Fact>
            <Fact label={columns.cost}>{cost(run.usage)}</Fact>
            <Fact label={columns.when}>
              <When at={run.created_at} />
            </Fact>
          </dl>
        </li>
      ))}
    </ul>
  );
}

function Question({ run }: { run: RunSummary }) {
  return (
    <div className="min-w-0">
      <Link
        to="/runs/$runId"
        params={{ runId: run.id }}
        className="line-clamp-2 text-sm font-medium break-words underline-offset-2 hover:underline"
      >
        {run.question}
      </Link>
      <p className="mt-1 flex flex-wrap gap-1">
        <Badge>{words.kind[run.kind]}</Badge>
        {run.superseded && <Badge>{words.superseded}</Badge>}
      </p>
    </div>
  );
}
