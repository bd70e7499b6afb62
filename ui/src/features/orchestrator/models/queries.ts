import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { data } from "@/api/client";
import { useMe } from "@/features/accounts/me";
import {
  type ModelConnection,
  type ModelConnectionChange,
  type ModelOverview,
  modelsApi,
  type NewModelConnection,
} from "@/features/orchestrator/models/contract";

const ALL = "/api/v1/orchestrator/models";
const ONE = "/api/v1/orchestrator/models/{connection_id}";
const WHILE_TESTING_MS = 600;

/** Providers, connections and what is in use; asked again and again while a test runs. */
export const modelsQuery = queryOptions({
  queryKey: ["orchestrator", "models"],
  queryFn: () => data(modelsApi.GET(ALL)),
  refetchInterval: ({ state }) =>
    state.data?.connections.some(({ test }) => test?.status === "running") ? WHILE_TESTING_MS : false,
});

const by = (connection_id: string) => ({ params: { path: { connection_id } } });

function useRefresh() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: modelsQuery.queryKey });
}

/** Puts a changed connection in its place, so that its test is followed from now on. */
function usePlace() {
  const queries = useQueryClient();
  return (changed: ModelConnection) =>
    queries.setQueryData(
      modelsQuery.queryKey,
      (known: ModelOverview | undefined) =>
        known && {
          ...known,
          connections: known.connections.map((one) => (one.id === changed.id ? changed : one)),
        },
    );
}

export function useConnect() {
  return useMutation({
    mutationFn: (body: NewModelConnection) => data(modelsApi.POST(ALL, { body })),
    onSuccess: useRefresh(),
  });
}

export function useChange(id: string) {
  return useMutation({
    mutationFn: (body: ModelConnectionChange) => data(modelsApi.PATCH(ONE, { ...by(id), body })),
    onSuccess: useRefresh(),
  });
}

export function useDisconnect(id: string) {
  return useMutation({
    mutationFn: () => data(modelsApi.DELETE(ONE, by(id))),
    onSuccess: useRefresh(),
  });
}

export function useTest(id: string) {
  return useMutation({
    mutationFn: () => data(modelsApi.POST(`${ONE}/test`, by(id))),
    onSuccess: usePlace(),
  });
}

export function useChoose() {
  return useMutation({
    mutationFn: (connection_id: string | null) =>
      data(modelsApi.PUT(`${ALL}/choice`, { body: { connection_id } })),
    onSuccess: useRefresh(),
  });
}

/** Models are the administrators' to change; everybody may look. */
export function useMayChange(): boolean {
  const me = useMe();
  const role = me.organisations.find(({ id }) => id === me.organisation_id)?.role;
  return role === "admin" || role === "owner";
}
