import { type QueryClient, queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { ApiProblem } from "@/api/problem";

export type Me = Schemas["Me"];

export const meQuery = queryOptions({
  queryKey: ["accounts", "me"],
  queryFn: () => data(api.GET("/api/v1/accounts/me")),
  staleTime: 60_000,
});

/** The session's cookies are not for scripts to see; this one tells that there are some, and goes where they go. */
const MARK = "rf_session=there";
const YEAR_SECONDS = 31_536_000;

export function rememberSession(there: boolean): void {
  document.cookie = `${MARK}; path=/; samesite=lax; max-age=${there ? YEAR_SECONDS : 0}`;
}

/** Whether somebody is signed in; other failures are the page's to show. Who never was is not asked for. */
export async function signedIn(queries: QueryClient): Promise<boolean> {
  if (!document.cookie.includes(MARK)) return false;
  try {
    await queries.ensureQueryData(meQuery);
    return true;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return false;
    throw error;
  }
}

export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}
