import { MessageSquareOff } from "lucide-react";
import { useCallback, useRef } from "react";
import { ApiProblem } from "@/api/problem";
import { Empty, Problem, Skeleton } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { OfflineBanner } from "@/features/orchestrator/chat/OfflineBanner";
import { Room } from "@/features/orchestrator/chat/Room";
import { useEnd } from "@/features/orchestrator/chat/scrolling";
import { cancel, type Outgoing, useSend } from "@/features/orchestrator/chat/sending";
import { Transcript } from "@/features/orchestrator/chat/Transcript";
import { openRuns } from "@/features/orchestrator/stream/conversation";
import { useConversation } from "@/features/orchestrator/stream/useConversation";
import { t } from "@/strings";

const words = t.chat;

/** A conversation that goes on. */
export function Conversation({ sessionId }: { sessionId: string }) {
  const { conversation, connection, error, store } = useConversation(sessionId);
  const field = useRef<HTMLTextAreaElement>(null);
  const end = useEnd();
  const { fail } = useNotices();
  const { mutateAsync, isPending } = useSend(sessionId);
  const { jump } = end;

  const send = useCallback(
    async (message: Outgoing) => {
      const { run } = await mutateAsync(message);
      store.accepted({ ...message, id: run.id, turn: run.turn });
      jump();
      field.current?.focus();
    },
    [mutateAsync, store, jump],
  );
  const resend = useCallback(
    (message: Outgoing) =>
      send(message).catch((problem) => {
        fail(problem);
        throw problem;
      }),
    [send, fail],
  );
  const stop = useCallback((runId: string) => void cancel(runId).catch(fail), [fail]);

  const running = openRuns(conversation)[0];
  const stopRunning = () => {
    if (running) stop(running.id);
    field.current?.focus();
  };
  if (connection === "ended") return <Gone error={error} onRetry={store.catchUp} />;
  return (
    <>
      <OfflineBanner lastModel={conversation.runs.at(-1)?.model} />
      <Room
        field={field}
        onSend={send}
        onStop={running && stopRunning}
        above={<Connection lost={connection === "lost"} />}
      >
        {error !== null && (
          <div className="mx-auto w-full max-w-3xl p-4">
            <Problem error={error} onRetry={() => void store.catchUp().catch(() => {})} />
          </div>
        )}
        {!conversation.loaded && error === null && (
          <div className="mx-auto w-full max-w-3xl p-4">
            <Skeleton lines={5} />
          </div>
        )}
        <Transcript
          runs={conversation.runs}
          end={end}
          onEarlier={conversation.more ? store.readEarlier : undefined}
          sending={isPending}
          onSend={resend}
          onCancel={stop}
        />
      </Room>
    </>
  );
}

function Connection({ lost }: { lost: boolean }) {
  return (
    <p role="status" className="text-center text-xs text-warning">
      {lost && words.connection.lost}
    </p>
  );
}

function Gone({ error, onRetry }: { error: unknown; onRetry: () => Promise<boolean> }) {
  const missing = error instanceof ApiProblem && error.status === 404;
  return (
    <div className="mx-auto w-full max-w-3xl p-4">
      {missing ? (
        <Empty icon={MessageSquareOff} title={words.gone.title}>
          {words.gone.text}
        </Empty>
      ) : (
        <Problem error={error} onRetry={() => void onRetry().catch(() => {})} />
      )}
    </div>
  );
}
