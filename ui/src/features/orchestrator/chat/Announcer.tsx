import { useState } from "react";
import { hasEnded, type Run, textsOf } from "@/features/orchestrator/stream/run";
import { t } from "@/strings";

/** Reads out an answer that was being written here, once it is whole: not each word, and not what was there before. */
export function Announcer({ run }: { run: Run | undefined }) {
  return (
    <div aria-live="polite" className="sr-only">
      {run && <Told key={run.id} run={run} />}
    </div>
  );
}

function Told({ run }: { run: Run }) {
  const [wasOpen] = useState(!hasEnded(run));
  if (!wasOpen || !hasEnded(run)) return null;
  if (run.status === "cancelled") return <p>{t.chat.turn.cancelled}</p>;
  if (run.error) return <p>{t.chat.turn.failed(run.error.message)}</p>;
  return textsOf(run).map((text) => <p key={text.id}>{text.text}</p>);
}
