import { CircleAlert, CircleCheck, LoaderCircle } from "lucide-react";
import type { Schemas } from "@/api/client";
import { problemOf } from "@/api/problem";
import { Problem } from "@/components/layout";
import { ago, count, dollars, milliseconds } from "@/lib/format";
import { t } from "@/strings";

const words = t.models.test;

/** What a test found, as it comes in. */
export function TestResult({ test }: { test: Schemas["ModelTest"] | null }) {
  return (
    <div aria-live="polite" className="flex flex-col gap-3 text-sm">
      <Verdict test={test} />
      {test?.status === "failed" && <Failure problem={test.problem} />}
      {test?.total_ms != null && <Findings test={test} />}
    </div>
  );
}

const looks = {
  running: { icon: LoaderCircle, color: "text-quiet", word: words.running },
  passed: { icon: CircleCheck, color: "text-success", word: words.passed },
  failed: { icon: CircleAlert, color: "text-danger", word: words.failed },
};

function Verdict({ test }: { test: Schemas["ModelTest"] | null }) {
  if (!test) return <p className="text-quiet">{words.never}</p>;
  const { icon: Icon, color, word } = looks[test.status];
  return (
    <p className="flex items-center gap-2">
      <Icon
        className={`size-4 shrink-0 ${color} ${test.status === "running" ? "animate-spin" : ""}`}
        aria-hidden
      />
      <span className={`font-medium ${color}`}>{word}</span>
      {test.status !== "running" && <span className="text-quiet">{words.when(ago(test.tested_at))}</span>}
    </p>
  );
}

/** A problem as a run or a test has it is the API's, without a status of its own. */
function Failure({ problem }: { problem: Schemas["ModelTest"]["problem"] }) {
  return <Problem error={problemOf(0, { detail: problem?.message ?? words.failedText, ...problem })} />;
}

function Findings({ test }: { test: Schemas["ModelTest"] }) {
  const { cost } = test;
  const facts: [string, string | null | undefined][] = [
    [words.firstEvent, known(test.first_event_ms, milliseconds)],
    [words.total, known(test.total_ms, milliseconds)],
    [words.speed, known(test.tokens_per_second, (tokens) => words.perSecond(count(tokens)))],
    [words.streaming, yesOrNo(test.streaming)],
    [words.toolCalling, yesOrNo(test.tool_calling)],
    [words.tokens, words.tokensOf(count(test.input_tokens ?? 0), count(test.output_tokens ?? 0))],
    [words.inputPrice, cost && words.perMillion(dollars(cost.input_per_million_microusd))],
    [words.outputPrice, cost && words.perMillion(dollars(cost.output_per_million_microusd))],
    [words.testCost, cost && dollars(cost.test_microusd)],
  ];
  return (
    <>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 sm:grid-cols-3">
        {facts.map(
          ([label, value]) =>
            value != null && (
              <div key={label}>
                <dt className="text-xs text-quiet">{label}</dt>
                <dd className="font-medium tabular-nums">{value}</dd>
              </div>
            ),
        )}
      </dl>
      {!cost && <p className="text-xs text-quiet">{words.noPrice}</p>}
    </>
  );
}

function known(value: number | null | undefined, format: (value: number) => string): string | null {
  return value == null ? null : format(value);
}

function yesOrNo(value: boolean | null | undefined): string {
  if (value == null) return words.unknown;
  return value ? words.yes : words.no;
}
