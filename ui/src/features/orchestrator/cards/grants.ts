import { queryOptions, useQuery } from "@tanstack/react-query";
import { api, data } from "@/api/client";

const installationsQuery = queryOptions({
  queryKey: ["registry", "installations"],
  queryFn: () => data(api.GET("/api/v1/registry/installations")),
  staleTime: 60_000,
});

/** What the organisation granted a skill, in the version that ran; null when it is not installed so any more. */
export function useGrant(skill: string | undefined, version: string | undefined) {
  const { data: installations } = useQuery(installationsQuery);
  if (!installations) return undefined;
  return installations.find((one) => one.name === skill && one.version === version) ?? null;
}
