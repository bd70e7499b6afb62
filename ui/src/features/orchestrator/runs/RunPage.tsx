import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ChevronLeft, MessageSquare, Square } from "lucide-react";
import { Button, buttonStyle } from "@/components/button";
import { Badge, Card, CardTitle, Page, Problem, Skeleton } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { Fact } from "@/features/orchestrator/runs/Facts";
import { Failure } from "@/features/orchestrator/runs/Failure";
import { cost, duration, NOT_KNOWN, tokens, waited } from "@/features/orchestrator/runs/figures";
import { isOpen, runQuery, useStop } from "@/features/orchestrator/runs/queries";
import { RunStatus } from "@/features/orchestrator/runs/RunStatus";
import { StepTimeline } from "@/features/orchestrator/runs/StepTimeline";
import type { RunDetail } from "@/features/orchestrator/runs/types";
import { When } from "@/features/orchestrator/runs/When";
import { count } from "@/lib/format";
import { t } from "@/strings";

const words = t.runs;

export function RunPage() {
  const { runId } = useParams({ from: "/inside/runs/$runId" });
  const run = useQuery(runQuery(runId));
  if (run.data) return <Loaded run={run.data} now={run.dataUpdatedAt} />;
  return (
    <Page title={words.title} wide>
      {run.isError ? <Problem error={run.error} onRetry={run.refetch} /> : <Skeleton lines={5} />}
    </Page>
  );
}

function Loaded({ run, now }: { run: RunDetail; now: number }) {
  return (
    <Page title={run.question} lead={<Lead run={run} />} actions={<Actions run={run} />} wide>
      {run.error && <Failure error={run.error} otherwise={words.page.failed} />}
      <Figures run={run} now={now} />
      <StepTimeline run={run} now={now} />
    </Page>
  );
}

function Lead({ run }: { run: RunDetail }) {
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2">
      <Link to="/runs" className="inline-flex items-center gap-1 hover:text-ink hover:underline">
        <ChevronLeft className="size-4" aria-hidden />
        {words.page.back}
      </Link>
      <span aria-live="polite" className="inline-flex">
        <RunStatus status={run.status} />
      </span>
      <Badge>{words.kind[run.kind]}</Badge>
      {run.superseded && <Badge>{words.superseded}</Badge>}
    </div>
  );
}

function Actions({ run }: { run: RunDetail }) {
  const { say, fail } = useNotices();
  const stop = useStop(run.id);
  return (
    <>
      {isOpen(run) && (
        <Button
          look="danger"
          busy={stop.isPending}
          onClick={() => stop.mutate(undefined, { onSuccess: () => say(words.page.stopped), onError: fail })}
        >
          <Square aria-hidden />
          {words.page.stop}
        </Button>
      )}
      {run.kind === "chat" && (
        <Link to="/chat/$sessionId" params={{ sessionId: run.session_id }} className={buttonStyle({})}>
          <MessageSquare aria-hidden />
          {words.page.conversation}
        </Link>
      )}
    </>
  );
}

function Figures({ run, now }: { run: RunDetail; now: number }) {
  const { usage, attempt } = run;
  const { input_tokens = 0, output_tokens = 0 } = usage;
  const counted = tokens(usage) !== NOT_KNOWN;
  return (
    <Card>
      <CardTitle className="sr-only">{words.page.facts}</CardTitle>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 text-sm sm:grid-cols-3 lg:grid-cols-6">
        <Fact label={words.page.model}>{run.model ?? NOT_KNOWN}</Fact>
        <Fact label={words.page.started}>
          <When at={run.started_at ?? run.created_at} />
        </Fact>
        <Fact label={words.page.duration}>{duration(run, now)}</Fact>
        <Fact label={words.page.waited}>{waited(run)}</Fact>
        <Fact label={words.page.tokens}>
          {counted ? words.page.tokensOf(count(input_tokens), count(output_tokens)) : NOT_KNOWN}
        </Fact>
        <Fact label={words.page.cost}>{cost(usage)}</Fact>
        {attempt > 1 && <Fact label={words.page.attempt}>{words.page.attemptText(attempt)}</Fact>}
      </dl>
    </Card>
  );
}
