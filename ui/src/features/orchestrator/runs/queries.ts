import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { type RunSummary, runOf, type Status, summariesOf } from "@/features/orchestrator/runs/types";

const ALL = "/api/v1/orchestrator/runs";
const ONE = "/api/v1/orchestrator/runs/{run_id}";
export const STATUSES: Status[] = ["running", "queued", "succeeded", "failed", "cancelled"];
const PAGE = 25;
const LATEST = 5;
const LIST_MS = 2_000;
const OPEN_RUN_MS = 700;

export function isOpen({ status }: { status: Status }): boolean {
  return status === "queued" || status === "running";
}

const whileOpen = (runs: RunSummary[] | undefined) => (runs?.some(isOpen) ? LIST_MS : false);

/** Runs, newest first, a page at a time; asked again while any of them is open. */
export const runsQuery = (status: Status | undefined) =>
  infiniteQueryOptions({
    queryKey: ["orchestrator", "runs", "list", status ?? "all"],
    queryFn: ({ pageParam }) =>
      data(api.GET(ALL, { params: { query: { limit: PAGE, status, before: pageParam } } })).then(summariesOf),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.length === PAGE ? page.at(-1)?.id : undefined),
    refetchInterval: ({ state }) => whileOpen(state.data?.pages.flat()),
  });

export const latestRunsQuery = queryOptions({
  queryKey: ["orchestrator", "runs", "latest"],
  queryFn: () => data(api.GET(ALL, { params: { query: { limit: LATEST } } })).then(summariesOf),
  refetchInterval: ({ state }) => whileOpen(state.data),
});

export const runQuery = (run_id: string) =>
  queryOptions({
    queryKey: ["orchestrator", "runs", "one", run_id],
    queryFn: () => data(api.GET(ONE, { params: { path: { run_id } } })).then(runOf),
    refetchInterval: ({ state }) => (state.data && isOpen(state.data) ? OPEN_RUN_MS : false),
  });

export function useStop(run_id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => data(api.POST(`${ONE}/cancel`, { params: { path: { run_id } } })).then(runOf),
    onSuccess: (run) => queries.setQueryData(runQuery(run_id).queryKey, run),
  });
}
