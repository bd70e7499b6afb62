import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleStop } from "lucide-react";
import { api, data } from "@/api/client";
import { Button } from "@/components/button";
import { Problem } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { StepList } from "@/features/orchestrator/cards/StepList";
import { hasEnded, type Run, type Step, stepsOf } from "@/features/orchestrator/stream/run";
import { useRun } from "@/features/orchestrator/stream/useRun";
import { SchemaForm } from "@/features/registry/actions/SchemaForm";
import type { Arguments } from "@/features/registry/actions/values";
import type { Action } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.trial;

/** One action, run in the sandbox with what a person enters, and what came of it. */
export default function Trial({ skillRef, action }: { skillRef: string; action: Action }) {
  const begin = useMutation({
    mutationFn: (made: Arguments) =>
      data(
        api.POST("/api/v1/orchestrator/trials", {
          body: { skill: skillRef, action: action.name, arguments: made.arguments, files: made.files },
        }),
      ),
  });
  return (
    <div className="flex flex-col gap-4 rounded-lg border border-line-strong p-4">
      <p className="text-sm text-quiet">{words.lead}</p>
      <SchemaForm
        label={words.label(action.name)}
        schema={action.input_schema}
        busy={begin.isPending}
        again={begin.isSuccess}
        onArguments={begin.mutate}
      />
      {begin.isError && <Problem error={begin.error} />}
      {begin.data && (
        <Outcome
          key={begin.data.id}
          action={action.name}
          runId={begin.data.id}
          sessionId={begin.data.session_id}
        />
      )}
    </div>
  );
}

function Outcome({ action, runId, sessionId }: { action: string; runId: string; sessionId: string }) {
  const run = useRun(runId, sessionId);
  return (
    <section aria-label={words.outcome(action)} className="flex flex-col gap-3 border-t pt-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p role="status" className="text-sm font-medium">
          {words.statuses[run.status]}
        </p>
        <div className="flex flex-wrap items-center gap-3">
          {!hasEnded(run) && <Stop run={run} />}
          <Link
            to="/runs/$runId"
            params={{ runId }}
            className="text-sm text-accent underline underline-offset-2"
          >
            {words.toRun}
          </Link>
        </div>
      </div>
      <StepList run={run} steps={stepsOf(run).filter(isNews)} open />
      {run.error && <Failed run={run} />}
    </section>
  );
}

/** That the skill was loaded goes without saying, unless it was not. */
function isNews(step: Step): boolean {
  return step.kind !== "load" || step.status === "error";
}

/** The run's own error, when none of its steps has told it already. */
function Failed({ run }: { run: Run }) {
  const told = run.parts.some(
    (part) => part.part === "step" && part.facts.error?.message === run.error?.message,
  );
  if (told || !run.error) return null;
  return (
    <div role="alert" className="rounded-lg bg-danger-soft px-4 py-3 text-sm">
      <p className="font-medium break-words text-danger">{run.error.message}</p>
      {run.error.hint && <p className="break-words">{run.error.hint}</p>}
    </div>
  );
}

function Stop({ run }: { run: Run }) {
  const { fail } = useNotices();
  const stop = useMutation({
    mutationFn: () =>
      data(api.POST("/api/v1/orchestrator/runs/{run_id}/cancel", { params: { path: { run_id: run.id } } })),
    onError: fail,
  });
  return (
    <Button size="small" busy={stop.isPending} onClick={() => stop.mutate()}>
      <CircleStop aria-hidden />
      {words.stop}
    </Button>
  );
}
