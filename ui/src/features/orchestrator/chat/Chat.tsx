import { useInfiniteQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { History } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { useTitle } from "@/components/layout";
import { Begin } from "@/features/orchestrator/chat/Begin";
import { Conversation } from "@/features/orchestrator/chat/Conversation";
import { Sessions } from "@/features/orchestrator/chat/Sessions";
import { sessionsQuery } from "@/features/orchestrator/chat/sessions";
import { t } from "@/strings";

const words = t.chat;

export function Chat() {
  const { sessionId } = useParams({ strict: false });
  const [listed, setListed] = useState(false);
  const { data } = useInfiniteQuery(sessionsQuery);
  const title = (sessionId && data?.find((session) => session.id === sessionId)?.title) || words.title;
  useTitle(title);
  return (
    <div className="flex h-[calc(100dvh-3.5rem)] md:h-dvh">
      <aside aria-label={words.sessions.label} className="hidden w-64 shrink-0 flex-col border-r p-3 lg:flex">
        <Sessions active={sessionId} />
      </aside>
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex items-center gap-2 border-b px-4 py-2">
          <h1 className="min-w-0 flex-1 truncate text-sm font-semibold">{title}</h1>
          <Button size="small" className="lg:hidden" onClick={() => setListed(true)}>
            <History aria-hidden />
            {words.sessions.show}
          </Button>
          <Dialog
            open={listed}
            onOpenChange={setListed}
            title={words.sessions.label}
            className="h-[80dvh] overflow-hidden"
          >
            <Sessions active={sessionId} onGo={() => setListed(false)} />
          </Dialog>
        </header>
        {sessionId ? <Conversation key={sessionId} sessionId={sessionId} /> : <Begin />}
      </div>
    </div>
  );
}
