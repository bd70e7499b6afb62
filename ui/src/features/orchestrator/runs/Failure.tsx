import { problemOf } from "@/api/problem";
import { Problem } from "@/components/layout";

interface Props {
  error: Record<string, unknown>;
  /** Said when the error says nothing. */
  otherwise: string;
  /** What a program printed stands below the error's first line. */
  printed?: boolean;
}

/** A run's or a step's error: a code, a message and a hint, without an answer of the API that carried them. */
export function Failure({ error, otherwise, printed = false }: Props) {
  const [fact = "", ...rest] = typeof error.message === "string" ? error.message.split("\n") : [];
  return (
    <>
      <Problem error={problemOf(0, { ...error, detail: fact || otherwise })} />
      {printed && rest.length > 0 && (
        <pre className="rounded-lg bg-raised p-3 font-mono text-xs break-words whitespace-pre-wrap">
          {rest.join("\n")}
        </pre>
      )}
    </>
  );
}
