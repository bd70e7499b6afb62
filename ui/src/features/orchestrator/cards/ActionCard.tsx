import { Play } from "lucide-react";
import { Badge } from "@/components/layout";
import { ArtifactList } from "@/features/orchestrator/cards/ArtifactList";
import { Frame, Line, statusOf, Trouble } from "@/features/orchestrator/cards/Frame";
import { useGrant } from "@/features/orchestrator/cards/grants";
import { KeyValues } from "@/features/orchestrator/cards/KeyValues";
import type { SandboxVerdict } from "@/features/orchestrator/stream/events";
import type { Run, Step } from "@/features/orchestrator/stream/run";
import { bytes, milliseconds } from "@/lib/format";
import { t } from "@/strings";

const words = t.chat.cards;

export function ActionCard({ run, step, open }: { run: Run; step: Step; open?: boolean }) {
  const status = statusOf(run, step);
  const { skill, action, version, sandbox, timings } = step.facts;
  const name = skill && action ? `${skill}: ${action}` : step.name.replace("__", ": ");
  return (
    <Frame
      icon={Play}
      status={status}
      ms={timings?.wall_ms ?? timings?.tool_ms}
      title={
        <span className="flex flex-wrap items-center gap-x-2">
          <span className="font-medium">{status === "running" ? words.running(name) : words.ran(name)}</span>
          {version && <Badge>{version}</Badge>}
          {sandbox && sandbox.status !== "ok" && <Badge tone="danger">{verdict(sandbox)}</Badge>}
        </span>
      }
    >
      <Trouble step={step} />
      <details className="text-xs" open={open}>
        <summary className="cursor-pointer text-quiet hover:text-ink">{words.details}</summary>
        <div className="mt-2 flex flex-col gap-3">
          <Line name={words.input}>
            <KeyValues value={step.input} />
          </Line>
          <Line name={words.output}>
            <KeyValues value={step.output} />
          </Line>
          {sandbox && <Sandbox verdict={sandbox} />}
          <Limits skill={skill} version={version} />
        </div>
      </details>
      <ArtifactList artifacts={step.artifacts} />
    </Frame>
  );
}

const verdict = (sandbox: SandboxVerdict) => words.verdicts[sandbox.status] ?? sandbox.status;

function Sandbox({ verdict: sandbox }: { verdict: SandboxVerdict }) {
  const { driver, wall_ms: wall, cpu_ms: cpu, peak_memory_bytes: memory, exit_code: code } = sandbox;
  const told = [
    verdict(sandbox),
    typeof code === "number" && code !== 0 && words.exitCode(code),
    typeof wall === "number" && words.wall(milliseconds(wall)),
    typeof cpu === "number" && words.cpu(milliseconds(cpu)),
    typeof memory === "number" && words.memory(bytes(memory)),
    words.driver(driver),
  ];
  return (
    <Line name={words.sandbox}>
      <p>{told.filter(Boolean).join(" · ")}</p>
      {sandbox.weakened.length > 0 && <p className="text-warning">{words.weakened(sandbox.weakened)}</p>}
    </Line>
  );
}

function Limits({ skill, version }: { skill: string | undefined; version: string | undefined }) {
  const limits = useGrant(skill, version)?.granted.limits;
  if (!limits) return null;
  const { timeout_seconds: seconds, memory_bytes: memory, disk_bytes: disk } = limits;
  return <Line name={words.limits}>{words.limitsOf(seconds, memory, disk)}</Line>;
}
