import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { useMe } from "@/features/accounts/me";

const ALL = "/api/v1/orchestrator/models";
const ONE = "/api/v1/orchestrator/models/{connection_id}";
const WHILE_TESTING_MS = 600;

/** Providers, connections and what is in use; asked again and again while a test runs. */
export const modelsQuery = queryOptions({
  queryKey: ["orchestrator", "models"],
  queryFn: () => data(api.GET(ALL)),
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
  return (changed: Schemas["ModelConnection"]) =>
    queries.setQueryData(
      modelsQuery.queryKey,
      (known: Schemas["ModelOverview"] | undefined) =>
        known && {
          ...known,
          connections: known.connections.map((one) => (one.id === changed.id ? changed : one)),
        },
    );
}

export function useConnect() {
  return useMutation({
    mutationFn: (body: Schemas["NewModelConnection"]) => data(api.POST(ALL, { body })),
    onSuccess: useRefresh(),
  });
}

export function useChange(id: string) {
  return useMutation({
    mutationFn: (body: Schemas["ModelConnectionChange"]) => data(api.PATCH(ONE, { ...by(id), body })),
    onSuccess: useRefresh(),
  });
}

export function useDisconnect(id: string) {
  return useMutation({
    mutationFn: () => data(api.DELETE(ONE, by(id))),
    onSuccess: useRefresh(),
  });
}

export function useTest(id: string) {
  return useMutation({
    mutationFn: () => data(api.POST(`${ONE}/test`, by(id))),
    onSuccess: usePlace(),
  });
}

export function useChoose() {
  return useMutation({
    mutationFn: (connection_id: string | null) => data(api.PUT(`${ALL}/choice`, { body: { connection_id } })),
    onSuccess: useRefresh(),
  });
}

/** Models are the administrators' to change; everybody may look. */
export function useMayChange(): boolean {
  const me = useMe();
  const role = me.organisations.find(({ id }) => id === me.organisation_id)?.role;
  return role === "admin" || role === "owner";
}
