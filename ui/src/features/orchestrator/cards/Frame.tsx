import { Check, CircleHelp, CircleStop, CircleX, LoaderCircle, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import type { Run, Step } from "@/features/orchestrator/stream/run";
import { hasEnded } from "@/features/orchestrator/stream/run";
import { cn } from "@/lib/cn";
import { milliseconds } from "@/lib/format";
import { t } from "@/strings";

const words = t.chat.cards;

export type Status = Step["status"] | "stopped";

/** A step that is still open when its run is over was stopped. */
export const statusOf = (run: Run, step: Step): Status =>
  step.status === "running" && hasEnded(run) ? "stopped" : step.status;

const marks: Record<Status, { icon: LucideIcon; tone: string }> = {
  running: { icon: LoaderCircle, tone: "animate-spin text-accent" },
  ok: { icon: Check, tone: "text-success" },
  error: { icon: CircleX, tone: "text-danger" },
  unknown: { icon: CircleHelp, tone: "text-warning" },
  stopped: { icon: CircleStop, tone: "text-quiet" },
};

/** A card: what it is about, how it stands, how long it took, and the rest below. */
export function Frame({
  icon: Icon,
  title,
  status,
  ms,
  children,
}: {
  icon: LucideIcon;
  title: ReactNode;
  status: Status;
  ms?: number;
  children?: ReactNode;
}) {
  const { icon: Mark, tone } = marks[status];
  return (
    <div className="flex min-w-0 flex-col gap-2 rounded-lg border bg-surface px-3 py-2 text-sm">
      <div className="flex items-start gap-2">
        <Icon className="mt-0.5 size-4 shrink-0 text-quiet" aria-hidden />
        <p className="min-w-0 flex-1 break-words">{title}</p>
        {ms !== undefined && (
          <span className="mt-0.5 shrink-0 text-xs text-quiet tabular-nums">{milliseconds(ms)}</span>
        )}
        <span className="mt-0.5 shrink-0">
          <Mark className={cn("size-4", tone)} aria-hidden />
          <span className="sr-only">{words.statuses[status]}</span>
        </span>
      </div>
      {children}
    </div>
  );
}

/** A named line of a card. */
export function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-0.5 text-xs sm:flex-row sm:gap-2">
      <p className="w-28 shrink-0 font-medium text-quiet">{name}</p>
      <div className="min-w-0 flex-1 break-words">{children}</div>
    </div>
  );
}

export function Trouble({ step }: { step: Step }) {
  const error = step.facts.error;
  return (
    <>
      {step.begunBefore && <p className="text-xs text-warning">{words.begunBefore}</p>}
      {step.status === "unknown" && <p className="text-xs text-warning">{words.unknown}</p>}
      {error && (
        <div className="text-xs">
          <p className="break-words whitespace-pre-wrap text-danger">{error.message}</p>
          {error.hint && <p className="break-words text-quiet">{error.hint}</p>}
        </div>
      )}
    </>
  );
}
