import { queryOptions, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ApiProblem, problemOf } from "@/api/problem";
import { fetchWithSession } from "@/api/session";
import { t } from "@/strings";

const words = t.chat.offline;
const OFFLINE = "offline";

interface InUse {
  in_use: { offline: boolean };
}

const modelQuery = queryOptions({
  queryKey: ["orchestrator", "models"],
  queryFn: async (): Promise<InUse> => {
    const address = new URL("/api/v1/orchestrator/models", window.location.origin);
    const answer = await fetchWithSession(new Request(address));
    if (!answer.ok) throw problemOf(answer.status, null);
    return answer.json();
  },
  staleTime: 30_000,
  retry: (failures, error) => failures < 2 && !(error instanceof ApiProblem && error.status < 500),
});

/** Says that no language model is connected, when none is; a run's own model tells when nothing else does. */
export function OfflineBanner({ lastModel }: { lastModel?: string | null }) {
  const { data } = useQuery(modelQuery);
  const offline = data ? data.in_use.offline : lastModel === OFFLINE;
  if (!offline) return null;
  return (
    <div className="border-b bg-warning-soft px-4 py-2 text-xs text-warning">
      <p className="mx-auto max-w-3xl px-0 lg:px-4">
        <strong>{words.title}</strong> {words.text} <span className="hidden sm:inline">{words.cannot}</span>{" "}
        <Link to="/settings/models" className="font-medium whitespace-nowrap underline">
          {words.connect}
        </Link>
      </p>
    </div>
  );
}
