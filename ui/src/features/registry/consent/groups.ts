import type { Capabilities } from "@/features/registry/queries";
import { t } from "@/strings";

export type Kind = "network" | "secrets" | "services" | "limits";
/** `kept`: as it was, or nothing to compare with. */
export type Change = "kept" | "added" | "removed";

export interface Line {
  text: string;
  change: Change;
  /** What a limit was before. */
  before?: string;
}

export interface Group {
  kind: Kind;
  lines: Line[];
}

const words = t.registry.capabilities;
const MIB = 1024 * 1024;
type Limit = keyof Capabilities["limits"];
const limitWords: Record<Limit, (value: number) => string> = {
  timeout_seconds: words.seconds,
  memory_bytes: (value) => words.memory(value / MIB),
  cpus: words.cpus,
  pids: words.processes,
  disk_bytes: (value) => words.files(value / MIB),
  output_bytes: (value) => words.output(value / MIB),
};

/** What a skill may reach and use, by kind; against what is granted now, when something is. */
export function groupsOf(declared: Capabilities, granted: Capabilities | null = null): Group[] {
  const reach = ([kind, linesOf]: [Kind, (of: Capabilities) => string[]]): Group => ({
    kind,
    lines: compared(linesOf(declared), granted ? linesOf(granted) : null),
  });
  const groups = [...reaches.map(reach), { kind: "limits" as const, lines: limitLines(declared, granted) }];
  return groups.filter((group) => group.lines.length > 0);
}

/** Whether nothing outside the sandbox may be reached. */
export function staysInside(capabilities: Capabilities): boolean {
  return reaches.every(([, linesOf]) => linesOf(capabilities).length === 0);
}

const reaches: [Kind, (of: Capabilities) => string[]][] = [
  ["network", (of) => (of.network ?? []).map(hostWords)],
  ["secrets", (of) => Object.entries(of.secrets ?? {}).map(([name, host]) => words.secret(name, host))],
  [
    "services",
    (of) =>
      Object.entries(of.services ?? {}).flatMap(([service, operations]) =>
        operations.map((operation) => words.service(service, operation)),
      ),
  ],
];

function hostWords(destination: string): string {
  const colon = destination.lastIndexOf(":");
  return words.host(destination.slice(0, colon), destination.slice(colon + 1));
}

function compared(declared: string[], granted: string[] | null): Line[] {
  if (!granted) return declared.map((text) => ({ text, change: "kept" }));
  const asked = declared.map<Line>((text) => ({ text, change: granted.includes(text) ? "kept" : "added" }));
  const gone = granted.filter((text) => !declared.includes(text));
  return [...asked, ...gone.map<Line>((text) => ({ text, change: "removed" }))];
}

function limitLines(declared: Capabilities, granted: Capabilities | null): Line[] {
  return (Object.keys(limitWords) as Limit[]).map((limit) => {
    const inWords = limitWords[limit];
    const [value, before] = [declared.limits[limit], granted?.limits[limit] ?? declared.limits[limit]];
    if (value === before) return { text: inWords(value), change: "kept" };
    return { text: inWords(value), before: inWords(before), change: value > before ? "added" : "removed" };
  });
}
