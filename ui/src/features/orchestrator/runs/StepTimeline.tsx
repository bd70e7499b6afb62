import {
  Brain,
  ChevronRight,
  CircleAlert,
  Download,
  Hand,
  type LucideIcon,
  Play,
  Search,
  Wrench,
} from "lucide-react";
import { Badge, Card, CardTitle } from "@/components/layout";
import { kindOf, type StepKind, subjectOf } from "@/features/orchestrator/runs/figures";
import { isOpen } from "@/features/orchestrator/runs/queries";
import { isCutShort, StepDetails } from "@/features/orchestrator/runs/StepDetails";
import { type Bar, type Tick, timeline } from "@/features/orchestrator/runs/timeline";
import type { RunDetail, Step } from "@/features/orchestrator/runs/types";
import { cn } from "@/lib/cn";
import { milliseconds } from "@/lib/format";
import { t } from "@/strings";

const words = t.runs;

const looks: Record<StepKind, { icon: LucideIcon; bar: string; text: string }> = {
  search: { icon: Search, bar: "bg-warning", text: "text-warning" },
  load: { icon: Download, bar: "bg-success", text: "text-success" },
  given: { icon: Hand, bar: "bg-line-strong", text: "text-quiet" },
  model: { icon: Brain, bar: "bg-line-strong", text: "text-quiet" },
  action: { icon: Play, bar: "bg-accent", text: "text-accent" },
  tool: { icon: Wrench, bar: "bg-quiet", text: "text-quiet" },
};

/** The steps of a turn on a common axis. The list says in words what the bars show. */
export function StepTimeline({ run, now }: { run: RunDetail; now: number }) {
  const { bars, ticks } = timeline(run, run.steps, now);
  return (
    <Card className="flex flex-col gap-3">
      <div>
        <CardTitle>{words.page.steps}</CardTitle>
        {run.steps.length > 0 && <p className="mt-1 text-sm text-quiet">{words.page.stepsLead}</p>}
      </div>
      {run.steps.length === 0 ? (
        <p className="text-sm text-quiet" aria-live="polite">
          {isOpen(run) ? words.page.waiting : words.page.noSteps}
        </p>
      ) : (
        <>
          <Axis ticks={ticks} />
          <ol className="flex flex-col divide-y border-y">
            {run.steps.map((step, place) => (
              <StepRow key={step.index} step={step} bar={bars[place]} ticks={ticks} open={isOpen(run)} />
            ))}
          </ol>
        </>
      )}
    </Card>
  );
}

/** Label, bar and length of a step; the axis has the same columns. */
const columns = "grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1.5 md:grid-cols-[17rem_1fr_4.5rem]";
const track = "relative col-span-2 row-start-2 md:col-span-1 md:col-start-2 md:row-start-1";

function Axis({ ticks }: { ticks: Tick[] }) {
  return (
    <div aria-hidden className={cn(columns, "px-1 text-xs text-quiet")}>
      <div className={cn(track, "h-4")}>
        {ticks.map(({ at, left }) => (
          <span
            key={at}
            style={{ left: `${left * 100}%` }}
            className={cn("absolute whitespace-nowrap tabular-nums", shift(left))}
          >
            {label(at)}
          </span>
        ))}
      </div>
    </div>
  );
}

const label = (at: number) => (at === 0 ? "0" : milliseconds(at).replace(".0 ", " "));

/** The first label begins at its tick and the last one ends there, so that none leaves the axis. */
function shift(left: number): string {
  if (left === 0) return "";
  return left > 0.95 ? "-translate-x-full" : "-translate-x-1/2";
}

interface StepProps {
  step: Step;
  bar: Bar | undefined;
  ticks: Tick[];
  open: boolean;
}

function StepRow({ step, bar, ticks, open }: StepProps) {
  const kind = kindOf(step);
  const { icon: Icon, text } = looks[kind];
  const start = bar?.start ?? 0;
  const length = bar?.length ?? 0;
  return (
    <li>
      <details className="group">
        <summary
          className={cn(columns, "cursor-pointer list-none rounded-lg px-1 py-2.5 text-sm hover:bg-raised")}
        >
          <span className="flex min-w-0 items-center gap-2">
            <ChevronRight
              className="size-4 shrink-0 text-quiet transition-transform group-open:rotate-90"
              aria-hidden
            />
            <Icon className={cn("size-4 shrink-0", text)} aria-hidden />
            <span className="min-w-0">
              <span className="flex flex-wrap items-center gap-x-2 font-medium">
                {words.step.kind[kind]}
                <State step={step} open={open} />
              </span>
              <span className="block truncate text-xs text-quiet">{subjectOf(step)}</span>
            </span>
          </span>
          {bar && <Track bar={bar} kind={kind} ticks={ticks} />}
          <span aria-hidden className="text-right text-xs whitespace-nowrap text-quiet tabular-nums">
            {milliseconds(length)}
          </span>
          <span className="sr-only">
            {words.step.times(milliseconds(start), milliseconds(length), bar?.running ?? false)}
          </span>
        </summary>
        <StepDetails step={step} kind={kind} open={open} />
      </details>
    </li>
  );
}

function State({ step, open }: { step: Step; open: boolean }) {
  if (isCutShort(step, open)) return <Badge tone="warning">{words.step.cutShort}</Badge>;
  if (step.status === "unknown") return <Badge tone="warning">{words.step.unknown}</Badge>;
  if (step.output?.status === "error") {
    return (
      <Badge tone="danger">
        <CircleAlert className="size-3" aria-hidden />
        {words.step.failed}
      </Badge>
    );
  }
  return null;
}

function Track({ bar, kind, ticks }: { bar: Bar; kind: StepKind; ticks: Tick[] }) {
  return (
    <span aria-hidden className={cn(track, "block h-5")}>
      {ticks.map(({ at, left }) => (
        <span
          key={at}
          style={{ left: `${left * 100}%` }}
          className="absolute inset-y-0 border-l border-dashed border-line"
        />
      ))}
      <span
        style={{ left: `min(${bar.left * 100}%, 100% - 3px)`, width: `max(${bar.width * 100}%, 3px)` }}
        className={cn(
          "absolute inset-y-1 rounded-sm",
          looks[kind].bar,
          bar.running && "animate-pulse rounded-r-none",
        )}
      />
    </span>
  );
}
