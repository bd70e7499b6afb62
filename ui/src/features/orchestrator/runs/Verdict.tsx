import { ShieldAlert, ShieldCheck } from "lucide-react";
import { Fact } from "@/features/orchestrator/runs/Facts";
import { bytes, milliseconds } from "@/lib/format";
import { t } from "@/strings";

const words = t.runs.sandbox;

export interface Sandbox {
  driver: string;
  status: string;
  exit_code: number | null;
  wall_ms: number;
  cpu_ms: number | null;
  peak_memory_bytes: number | null;
  weakened: string[];
}

/** How the sandbox saw it: the end, what was used, and who kept the guarantees. */
export function Verdict({ sandbox }: { sandbox: Sandbox }) {
  const { driver, status, exit_code, wall_ms, cpu_ms, peak_memory_bytes, weakened } = sandbox;
  return (
    <div className="flex flex-col gap-3 rounded-lg border p-3">
      <h3 className="flex flex-wrap items-center gap-x-2 font-medium">
        {words.title}
        <span className={status === "ok" ? "text-success" : "text-danger"}>
          {words.status[status] ?? status}
        </span>
      </h3>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 md:grid-cols-5">
        <Fact label={words.driver}>{driver}</Fact>
        {exit_code !== null && <Fact label={words.exitCode}>{exit_code}</Fact>}
        <Fact label={words.wall}>{milliseconds(wall_ms)}</Fact>
        {cpu_ms !== null && <Fact label={words.cpu}>{milliseconds(cpu_ms)}</Fact>}
        {peak_memory_bytes !== null && <Fact label={words.memory}>{bytes(peak_memory_bytes)}</Fact>}
      </dl>
      <Guarantees weakened={weakened} />
    </div>
  );
}

function Guarantees({ weakened }: { weakened: string[] }) {
  const weak = weakened.length > 0;
  const Icon = weak ? ShieldAlert : ShieldCheck;
  return (
    <div className="flex gap-2 text-xs text-quiet">
      <Icon className={`size-4 shrink-0 ${weak ? "text-warning" : "text-success"}`} aria-hidden />
      <div className="flex flex-col gap-1">
        <p>{weak ? words.weakened(weakened) : words.allKernel}</p>
        {weak && (
          <ul className="list-disc pl-4">
            {weakened.map((name) => words.guarantee[name] && <li key={name}>{words.guarantee[name]}</li>)}
          </ul>
        )}
      </div>
    </div>
  );
}
