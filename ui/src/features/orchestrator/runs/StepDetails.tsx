import type { ReactNode } from "react";
import { Banner } from "@/components/layout";
import { ArtifactList } from "@/features/orchestrator/cards/ArtifactList";
import { Fact } from "@/features/orchestrator/runs/Facts";
import { Failure } from "@/features/orchestrator/runs/Failure";
import { argumentsOf, type StepKind } from "@/features/orchestrator/runs/figures";
import { Json } from "@/features/orchestrator/runs/Json";
import type { Step } from "@/features/orchestrator/runs/types";
import { type Sandbox, Verdict } from "@/features/orchestrator/runs/Verdict";
import type { Artifact } from "@/features/orchestrator/stream/events";
import { count, milliseconds } from "@/lib/format";
import { t } from "@/strings";

const words = t.runs.step;

/** What a step's output has a place of its own for. */
interface Told {
  status?: string;
  error?: Record<string, unknown>;
  output?: Record<string, unknown>;
  sandbox?: Sandbox;
  artifacts?: Artifact[];
}

interface Props {
  step: Step;
  kind: StepKind;
  /** Whether the run goes on, and with it a step without an end. */
  open: boolean;
}

export function StepDetails({ step, kind, open }: Props) {
  const { error, output, sandbox, artifacts, status, ...facts } = (step.output ?? {}) as Told;
  const given = argumentsOf(step);
  const goesOn = step.status === "started" && open;
  return (
    <div className="flex flex-col gap-4 px-1 pt-1 pb-5 text-sm md:pl-7">
      {step.status === "unknown" && <Banner>{words.unknownText}</Banner>}
      {isCutShort(step, open) && <p className="text-quiet">{words.cutShortText}</p>}
      {error && <Failure error={error} otherwise={words.error} printed />}
      {kind !== "given" && <Facts facts={facts} />}
      {sandbox && <Verdict sandbox={sandbox} />}
      {artifacts && artifacts.length > 0 && (
        <Part title={words.artifacts}>
          <ArtifactList artifacts={artifacts} />
        </Part>
      )}
      {Object.keys(given).length > 0 && (
        <Part title={words.input}>
          <Json value={given} />
        </Part>
      )}
      {kind === "action" && !error && (
        <Part title={words.output}>
          {output ? (
            <Json value={output} />
          ) : (
            <p className="text-quiet">{goesOn ? words.nothingYet : words.noOutput}</p>
          )}
        </Part>
      )}
      <Timings timings={step.timings} />
    </div>
  );
}

/** Whether the run ended before the step did. */
export function isCutShort(step: Pick<Step, "status">, open: boolean): boolean {
  return step.status === "started" && !open;
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <h3 className="font-medium">{title}</h3>
      {children}
    </div>
  );
}

function Facts({ facts }: { facts: Record<string, unknown> }) {
  const known = Object.keys(words.fact).filter((name) => !isEmpty(facts[name]));
  if (known.length === 0) return null;
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-2 md:grid-cols-4">
      {known.map((name) => (
        <Fact key={name} label={words.fact[name] ?? name}>
          {text(facts[name])}
        </Fact>
      ))}
    </dl>
  );
}

const isEmpty = (value: unknown) => value == null || (Array.isArray(value) && value.length === 0);

function text(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "number" ? count(value) : String(value);
}

function Timings({ timings }: { timings: Step["timings"] }) {
  const known = Object.entries(timings).filter((entry): entry is [string, number] => entry[1] !== null);
  if (known.length === 0) return null;
  return (
    <Part title={words.timings}>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 md:grid-cols-4">
        {known.map(([name, ms]) => (
          <Fact key={name} label={words.timing[name] ?? name}>
            {milliseconds(ms)}
          </Fact>
        ))}
      </dl>
    </Part>
  );
}
