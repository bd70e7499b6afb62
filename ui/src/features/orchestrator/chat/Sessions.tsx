import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { Button, buttonStyle } from "@/components/button";
import { Problem, Skeleton } from "@/components/layout";
import { SessionItem } from "@/features/orchestrator/chat/SessionItem";
import { byDay, sessionsQuery } from "@/features/orchestrator/chat/sessions";
import { t } from "@/strings";

const words = t.chat.sessions;

/** All conversations, by day; the one that is open is marked. */
export function Sessions({ active, onGo }: { active: string | undefined; onGo?: () => void }) {
  const sessions = useInfiniteQuery(sessionsQuery);
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-3">
      <Link to="/chat" onClick={onGo} className={buttonStyle({ className: "w-full" })}>
        <Plus aria-hidden />
        {words.begin}
      </Link>
      <nav aria-label={words.label} className="relative -mx-2 min-h-0 flex-1 overflow-y-auto px-2">
        {sessions.isPending && <Skeleton lines={5} />}
        {sessions.isError && <Problem error={sessions.error} onRetry={sessions.refetch} />}
        {sessions.data?.length === 0 && <p className="px-2 text-sm text-quiet">{words.none}</p>}
        {byDay(sessions.data ?? []).map((group) => (
          <section key={group.name} aria-label={group.name} className="mb-4">
            <p className="px-2 pb-1 text-xs font-medium text-quiet">{group.name}</p>
            <ul className="flex flex-col gap-0.5">
              {group.sessions.map((session) => (
                <SessionItem key={session.id} session={session} active={session.id === active} onGo={onGo} />
              ))}
            </ul>
          </section>
        ))}
        {sessions.hasNextPage && (
          <Button
            look="quiet"
            size="small"
            busy={sessions.isFetchingNextPage}
            onClick={() => sessions.fetchNextPage()}
          >
            {words.older}
          </Button>
        )}
      </nav>
    </div>
  );
}
