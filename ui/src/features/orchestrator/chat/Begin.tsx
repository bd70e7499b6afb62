import { useNavigate, useSearch } from "@tanstack/react-router";
import { ChartColumn, FileSearch, Scale } from "lucide-react";
import { useEffect, useRef } from "react";
import { useNotices } from "@/components/Notices";
import campaigns from "@/features/home/campaigns.csv?url";
import { OfflineBanner } from "@/features/orchestrator/chat/OfflineBanner";
import { Room } from "@/features/orchestrator/chat/Room";
import { type Outgoing, useSend } from "@/features/orchestrator/chat/sending";
import { send as upload } from "@/features/orchestrator/files/uploads";
import { t } from "@/strings";

const words = t.chat.begin;

/** A conversation that begins with the first message; `?ask=` is one that somebody chose already. */
export function Begin() {
  const { ask } = useSearch({ from: "/inside/chat" });
  const navigate = useNavigate();
  const { fail } = useNotices();
  const { mutateAsync, isPending } = useSend();
  const asked = useRef(false);
  const send = async (message: Outgoing) => {
    const { sessionId } = await mutateAsync(message);
    await navigate({ to: "/chat/$sessionId", params: { sessionId }, replace: ask !== undefined });
  };
  useEffect(() => {
    if (!ask || asked.current) return;
    asked.current = true;
    send({ text: ask, files: [] }).catch(fail);
  });
  return (
    <>
      <OfflineBanner />
      <Room onSend={send} initial={ask}>
        <div className="relative flex min-h-0 flex-1 flex-col overflow-y-auto">
          <div className="mx-auto my-auto flex w-full max-w-3xl flex-col gap-6 px-4 py-6">
            <div>
              <h2 className="text-2xl font-semibold tracking-tight">{words.title}</h2>
              <p className="mt-1 text-sm text-quiet">{words.text}</p>
            </div>
            <Examples busy={isPending} onAsk={(message) => send(message).catch(fail)} />
          </div>
        </div>
      </Room>
    </>
  );
}

const examples = [
  { question: words.questions.compare, icon: ChartColumn },
  { question: words.questions.profile, icon: FileSearch },
  { question: words.questions.difference, icon: Scale },
];

function Examples({ busy, onAsk }: { busy: boolean; onAsk: (message: Outgoing) => void }) {
  const { fail } = useNotices();
  const start = async (text: string) => {
    try {
      const content = await (await fetch(campaigns)).blob();
      onAsk({ text, files: [await upload(new File([content], words.file, { type: "text/csv" }))] });
    } catch (error) {
      fail(error);
    }
  };
  return (
    <ul aria-label={words.examples} className="grid gap-3 sm:grid-cols-3">
      {examples.map(({ question, icon: Icon }) => (
        <li key={question}>
          <button
            type="button"
            disabled={busy}
            onClick={() => start(question)}
            className="flex h-full w-full flex-col gap-2 rounded-xl border bg-surface p-4 text-left text-sm hover:border-line-strong hover:bg-raised"
          >
            <Icon className="size-5 text-accent" aria-hidden />
            <span className="font-medium">{question}</span>
            <span className="text-xs text-quiet">{words.madeData}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
