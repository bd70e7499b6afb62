import { type InfiniteData, infiniteQueryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { day } from "@/lib/format";
import { t } from "@/strings";

export type Session = Schemas["SessionView"];

const PAGE = 50;
const ONE = "/api/v1/orchestrator/sessions/{session_id}";

export const sessionsQuery = infiniteQueryOptions({
  queryKey: ["orchestrator", "sessions"],
  queryFn: ({ pageParam }: { pageParam: string | undefined }) =>
    data(api.GET("/api/v1/orchestrator/sessions", { params: { query: { limit: PAGE, before: pageParam } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => (page.length === PAGE ? page.at(-1)?.id : undefined),
  select: (pages: InfiniteData<Session[]>) => pages.pages.flat(),
});

export function useSessionChanges() {
  const queries = useQueryClient();
  const onSuccess = () => queries.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  const rename = useMutation({
    mutationFn: ({ id, title }: { id: string; title: string }) =>
      data(api.PATCH(ONE, { params: { path: { session_id: id } }, body: { title } })),
    onSuccess,
  });
  const remove = useMutation({
    mutationFn: (id: string) => data(api.DELETE(ONE, { params: { path: { session_id: id } } })),
    onSuccess,
  });
  return { rename, remove };
}

const DAY_MS = 86_400_000;

/** Conversations by the day they began on, in their order. */
export function byDay(sessions: Session[], now = Date.now()): { name: string; sessions: Session[] }[] {
  const today = new Date(now).toDateString();
  const yesterday = new Date(now - DAY_MS).toDateString();
  const groups: { name: string; sessions: Session[] }[] = [];
  for (const session of sessions) {
    const date = new Date(session.created_at).toDateString();
    const name =
      date === today
        ? t.chat.sessions.today
        : date === yesterday
          ? t.chat.sessions.yesterday
          : day(session.created_at);
    const last = groups.at(-1);
    if (last?.name === name) last.sessions.push(session);
    else groups.push({ name, sessions: [session] });
  }
  return groups;
}
