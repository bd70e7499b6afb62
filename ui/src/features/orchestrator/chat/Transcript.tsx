import { ArrowDown } from "lucide-react";
import { type RefObject, useState } from "react";
import { Button } from "@/components/button";
import { useNotices } from "@/components/Notices";
import { Announcer } from "@/features/orchestrator/chat/Announcer";
import type { useEnd } from "@/features/orchestrator/chat/scrolling";
import { Turn, type TurnActions } from "@/features/orchestrator/chat/Turn";
import { hasEnded, type Run } from "@/features/orchestrator/stream/run";
import { t } from "@/strings";

const words = t.chat.turn;

interface Props extends TurnActions {
  runs: Run[];
  end: ReturnType<typeof useEnd>;
  onEarlier?: () => Promise<void>;
}

export function Transcript({ runs, end, onEarlier, ...actions }: Props) {
  const firstOpen = runs.findIndex((run) => !hasEnded(run));
  return (
    <Scrolling end={end}>
      {onEarlier && <Earlier onClick={() => end.keepPlace(onEarlier)} />}
      {runs.map((run, place) => (
        <Turn
          key={run.id}
          run={run}
          last={place === runs.length - 1}
          waits={firstOpen >= 0 && firstOpen < place}
          {...actions}
        />
      ))}
      <Announcer run={runs.at(-1)} />
    </Scrolling>
  );
}

/** What is scrolled can be reached without a mouse. */
const reachable = { tabIndex: 0 };

function Scrolling({ end, children }: { end: Props["end"]; children: React.ReactNode }) {
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <section
        {...reachable}
        ref={end.box as RefObject<HTMLDivElement>}
        onScroll={end.onScroll}
        aria-label={t.chat.transcript}
        className="relative min-h-0 flex-1 overflow-y-auto"
      >
        <div ref={end.content} className="mx-auto flex w-full max-w-3xl flex-col gap-8 px-4 py-6">
          {children}
        </div>
      </section>
      {!end.atEnd && (
        <Button
          size="small"
          onClick={end.jump}
          className="absolute bottom-2 left-1/2 -translate-x-1/2 rounded-full shadow-md"
        >
          <ArrowDown aria-hidden />
          {words.latest}
        </Button>
      )}
    </div>
  );
}

function Earlier({ onClick }: { onClick: () => Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const { fail } = useNotices();
  const read = () => {
    setBusy(true);
    onClick()
      .catch(fail)
      .finally(() => setBusy(false));
  };
  return (
    <Button look="quiet" size="small" className="self-center" busy={busy} onClick={read}>
      {words.earlier}
    </Button>
  );
}
