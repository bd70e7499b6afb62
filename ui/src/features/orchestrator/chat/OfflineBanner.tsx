import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { modelsQuery } from "@/features/orchestrator/models/queries";
import { t } from "@/strings";

const words = t.chat.offline;
const OFFLINE = "offline";

/** Says that no language model is connected, when none is; a run's own model tells when nothing else does. */
export function OfflineBanner({ lastModel }: { lastModel?: string | null }) {
  const { data } = useQuery(modelsQuery);
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
