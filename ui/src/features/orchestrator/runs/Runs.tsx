import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { ListChecks } from "lucide-react";
import { Button, buttonStyle } from "@/components/button";
import { Empty, Page, Problem, Skeleton } from "@/components/layout";
import { runsQuery, STATUSES } from "@/features/orchestrator/runs/queries";
import { RunCards, RunsTable } from "@/features/orchestrator/runs/RunsTable";
import type { Status } from "@/features/orchestrator/runs/types";
import { t } from "@/strings";

const words = t.runs;

export function Runs() {
  const search = useSearch({ from: "/inside/runs" });
  const status = STATUSES.find((known) => known === search.status);
  return (
    <Page title={words.title} lead={words.lead} wide>
      <Filter />
      <List key={status} status={status} />
    </Page>
  );
}

const place =
  "rounded-full border px-3 py-1 text-sm font-medium text-quiet hover:bg-raised hover:text-ink aria-[current=page]:border-accent aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent";

function Filter() {
  return (
    <nav aria-label={words.filter} className="flex flex-wrap gap-2">
      <Link to="/runs" search={{}} activeOptions={{ exact: true, includeSearch: true }} className={place}>
        {words.all}
      </Link>
      {STATUSES.map((status) => (
        <Link
          key={status}
          to="/runs"
          search={{ status }}
          activeOptions={{ includeSearch: true }}
          className={place}
        >
          {words.status[status]}
        </Link>
      ))}
    </nav>
  );
}

function List({ status }: { status: Status | undefined }) {
  const runs = useInfiniteQuery(runsQuery(status));
  if (runs.isPending) return <Skeleton lines={5} />;
  if (!runs.data) return <Problem error={runs.error} onRetry={runs.refetch} />;
  const all = runs.data.pages.flat();
  if (all.length === 0) return <None status={status} />;
  return (
    <div className="flex flex-col gap-4">
      {runs.isError && <Problem error={runs.error} onRetry={runs.refetch} />}
      <RunsTable runs={all} now={runs.dataUpdatedAt} />
      <RunCards runs={all} now={runs.dataUpdatedAt} />
      <div className="flex items-center justify-between gap-3">
        <p className="text-sm text-quiet" aria-live="polite">
          {words.shown(all.length)}
        </p>
        {runs.hasNextPage && (
          <Button busy={runs.isFetchingNextPage} onClick={() => runs.fetchNextPage()}>
            {words.showMore}
          </Button>
        )}
      </div>
    </div>
  );
}

function None({ status }: { status: Status | undefined }) {
  if (status) {
    return (
      <Empty icon={ListChecks} title={words.noneOf(words.status[status])}>
        {words.noneOfText}
      </Empty>
    );
  }
  return (
    <Empty icon={ListChecks} title={words.none}>
      <div className="flex flex-col items-center gap-4">
        <p>{words.noneText}</p>
        <Link to="/chat" className={buttonStyle({ look: "primary" })}>
          {words.toChat}
        </Link>
      </div>
    </Empty>
  );
}
