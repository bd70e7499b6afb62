import { Link } from "@tanstack/react-router";
import { CircleStop, Clock, LoaderCircle, RotateCcw, TriangleAlert } from "lucide-react";
import { memo } from "react";
import { Button, buttonStyle } from "@/components/button";
import { CopyButton } from "@/components/CopyButton";
import { StepList } from "@/features/orchestrator/cards/StepList";
import { Answer } from "@/features/orchestrator/chat/Answer";
import { Question } from "@/features/orchestrator/chat/Question";
import type { Outgoing } from "@/features/orchestrator/chat/sending";
import {
  hasEnded,
  type Part,
  type Run,
  type Step,
  type Text,
  textsOf,
} from "@/features/orchestrator/stream/run";
import { t } from "@/strings";

const words = t.chat.turn;

export interface TurnActions {
  /** A message is on its way: no second one may take this run's place meanwhile. */
  sending: boolean;
  onSend: (message: Outgoing) => Promise<unknown>;
  onCancel: (runId: string) => void;
}

interface Props extends TurnActions {
  run: Run;
  /** It is the last one. */
  last: boolean;
  /** An earlier run of the conversation is not over. */
  waits: boolean;
}

/** A question and what came of it. */
export const Turn = memo(function Turn({ run, last, waits, sending, onSend, onCancel }: Props) {
  const retry = () => run.message && void onSend({ ...run.message, replaces: run.id });
  return (
    <article className="flex flex-col gap-3">
      <h2 className="sr-only">{words.question}</h2>
      {run.message && <Question run={run} message={run.message} sending={sending} onSend={onSend} />}
      {groupsOf(run.parts).map((group) =>
        group.part === "text" ? (
          <Answer key={group.id} text={group.text} open={group.open} />
        ) : (
          <StepList key={group.id} run={run} steps={group.steps} />
        ),
      )}
      <State run={run} waits={waits} onCancel={onCancel} />
      {hasEnded(run) && (
        <div className="-ml-2.5 flex flex-wrap items-center gap-1">
          {textsOf(run).length > 0 && (
            <CopyButton
              text={textsOf(run)
                .map((text) => text.text)
                .join("\n\n")}
              label={words.copy}
            />
          )}
          {last && (
            <Button look="quiet" size="small" disabled={sending} onClick={retry}>
              <RotateCcw aria-hidden />
              {words.retry}
            </Button>
          )}
          <Link
            to="/runs/$runId"
            params={{ runId: run.id }}
            className={buttonStyle({ look: "quiet", size: "small" })}
          >
            {words.details}
          </Link>
        </div>
      )}
    </article>
  );
});

interface Steps {
  part: "steps";
  id: string;
  steps: Step[];
}

/** Steps that follow each other stand in one list. */
function groupsOf(parts: Part[]): (Text | Steps)[] {
  const groups: (Text | Steps)[] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (part.part === "text") groups.push(part);
    else if (last?.part === "steps") last.steps.push(part);
    else groups.push({ part: "steps", id: part.id, steps: [part] });
  }
  return groups;
}

function State({ run, waits, onCancel }: Pick<Props, "run" | "waits" | "onCancel">) {
  if (run.status === "succeeded") return null;
  if (run.status === "cancelled") {
    return (
      <p className="flex items-center gap-2 text-sm text-quiet">
        <CircleStop className="size-4" aria-hidden />
        {words.cancelled}
      </p>
    );
  }
  if (run.status === "failed") {
    return (
      <div className="flex gap-2 rounded-lg bg-danger-soft px-4 py-3 text-sm">
        <TriangleAlert className="mt-0.5 size-4 shrink-0 text-danger" aria-hidden />
        <div className="min-w-0">
          <p className="break-words text-danger">{run.error?.message}</p>
          {run.error?.hint && <p className="break-words">{run.error.hint}</p>}
        </div>
      </div>
    );
  }
  return run.status === "queued" ? (
    <p className="flex items-center gap-2 text-sm text-quiet">
      <Clock className="size-4" aria-hidden />
      {waits ? words.waits : words.queued}
      <Button look="quiet" size="small" onClick={() => onCancel(run.id)}>
        {words.cancel}
      </Button>
    </p>
  ) : (
    <Working run={run} />
  );
}

/** Nothing to see yet: no step that has a card of its own, no text that grows. */
function Working({ run }: { run: Run }) {
  const last = run.parts.at(-1);
  if (last?.part === "text" && last.open) return null;
  return (
    <p className="flex items-center gap-2 text-sm text-quiet">
      <LoaderCircle className="size-4 animate-spin" aria-hidden />
      {run.waiting ? words.pause(run.waiting.reason, run.waiting.seconds) : words.thinking}
    </p>
  );
}
