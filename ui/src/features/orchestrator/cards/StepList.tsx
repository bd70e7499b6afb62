import { Bot, FileText, PackageMinus } from "lucide-react";
import { ActionCard } from "@/features/orchestrator/cards/ActionCard";
import { Frame, statusOf, Trouble } from "@/features/orchestrator/cards/Frame";
import { LoadCard } from "@/features/orchestrator/cards/LoadCard";
import { SearchCard } from "@/features/orchestrator/cards/SearchCard";
import { type Run, type Step, stepsOf } from "@/features/orchestrator/stream/run";
import { milliseconds } from "@/lib/format";
import { t } from "@/strings";

const words = t.chat.cards;

interface Props {
  run: Run;
  /** Some of the run's steps; all of them by default. */
  steps?: Step[];
  /** The model's own steps too. */
  models?: boolean;
  /** Inputs and outputs are unfolded. */
  open?: boolean;
}

/** A card for each step of a run: skills searched and loaded, actions run. */
export function StepList({ run, steps = stepsOf(run), models = false, open }: Props) {
  const shown = steps.filter((step) => models || step.kind !== "model");
  if (shown.length === 0) return null;
  return (
    <ol aria-label={words.label} className="flex flex-col gap-2">
      {shown.map((step) => (
        <li key={step.id}>
          <StepCard run={run} step={step} open={open} />
        </li>
      ))}
    </ol>
  );
}

function StepCard({ run, step, open }: { run: Run; step: Step; open?: boolean }) {
  switch (step.kind) {
    case "search":
      return <SearchCard run={run} step={step} />;
    case "load":
      return <LoadCard run={run} step={step} />;
    case "action":
      return <ActionCard run={run} step={step} open={open} />;
    case "model":
      return <ModelCard run={run} step={step} />;
    default:
      return <SmallCard run={run} step={step} />;
  }
}

function ModelCard({ run, step }: { run: Run; step: Step }) {
  const { prompt_tokens: tokens, timings, requests = 1, turns_left_out: leftOut } = step.facts;
  const told = [
    tokens !== undefined && words.promptTokens(tokens),
    timings?.first_event_ms !== undefined && words.firstEvent(milliseconds(timings.first_event_ms)),
    requests > 1 && words.asked(requests),
    leftOut && words.leftOut(leftOut),
  ].filter(Boolean);
  const title = step.status === "running" ? words.asking(step.name) : words.model(step.name);
  return (
    <Frame icon={Bot} status={statusOf(run, step)} ms={timings?.model_ms} title={title}>
      {told.length > 0 && <p className="text-xs text-quiet">{told.join(" · ")}</p>}
      <Trouble step={step} />
    </Frame>
  );
}

function SmallCard({ run, step }: { run: Run; step: Step }) {
  const { skill = "", path, timings } = step.facts;
  const title = path ? words.read(path, skill) : words.unload(skill);
  return (
    <Frame
      icon={path ? FileText : PackageMinus}
      status={statusOf(run, step)}
      ms={timings?.tool_ms}
      title={skill ? title : step.name}
    >
      <Trouble step={step} />
    </Frame>
  );
}
