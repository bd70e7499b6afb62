import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { type Entry, fromHit, fromInstallation, fromList } from "@/features/registry/list/entries";
import { installationsQuery, searchQuery, skillsQuery } from "@/features/registry/queries";

export interface Entries {
  /** Null until they are there. */
  entries: Entry[] | null;
  error: unknown;
  retry: () => void;
  /** Fetches more; undefined when all are there. */
  more?: () => void;
  fetchingMore?: boolean;
  /** They are still those of the query before. */
  stale?: boolean;
}

/** The skills that are searched for, or all of them; `installed` leaves only those. */
export function useEntries(query: string, installed: boolean): Entries {
  const searching = query !== "";
  const all = useAll(!searching && !installed);
  const own = useQuery({ ...installationsQuery, enabled: searching || installed });
  const found = useQuery({ ...searchQuery(query), enabled: searching });
  if (searching) return merged(found, own, installed);
  if (!installed) return all;
  return {
    entries: own.data?.map(fromInstallation) ?? null,
    error: own.error,
    retry: () => void own.refetch(),
  };
}

function useAll(enabled: boolean): Entries {
  const all = useInfiniteQuery({ ...skillsQuery, enabled });
  return {
    entries: all.data?.pages.flatMap((page) => page.items.map(fromList)) ?? null,
    error: all.error,
    retry: () => void all.refetch(),
    more: all.hasNextPage ? () => void all.fetchNextPage() : undefined,
    fetchingMore: all.isFetchingNextPage,
  };
}

type Result<T> = { data?: T; error: unknown; refetch: () => unknown; isPlaceholderData: boolean };
type Hits = { hits: Parameters<typeof fromHit>[0][] };
type Own = Parameters<typeof fromHit>[1];

function merged(found: Result<Hits>, own: Result<Own>, installed: boolean): Entries {
  const known = own.data;
  // The server puts what agents can use first; who looks for a skill wants the one that fits best.
  const best = found.data?.hits.toSorted((one, other) => other.score - one.score);
  const hits = best?.filter((hit) => hit.installed || !installed);
  return {
    entries: hits && known ? hits.map((hit) => fromHit(hit, known)) : null,
    error: found.error ?? own.error,
    stale: found.isPlaceholderData,
    retry: () => {
      void found.refetch();
      void own.refetch();
    },
  };
}
