import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api, data, type Schemas } from "@/api/client";
import { shownOf } from "@/features/registry/files/text";

export type SkillDetail = Schemas["SkillDetail"];
export type Consent = Schemas["Consent"];
export type Capabilities = Schemas["Capabilities-Output"];
export type Action = Schemas["ActionView"];
export type File = SkillDetail["files"][number];

/** Names one skill: its publisher's namespace, and its name there. */
export interface Ref {
  namespace: string;
  name: string;
}

export const everySkillQuery = ["registry"] as const;
const PAGE = 24;
const HITS = 50;
const FOREVER = Number.POSITIVE_INFINITY;

export const skillsQuery = infiniteQueryOptions({
  queryKey: [...everySkillQuery, "skills"],
  queryFn: ({ pageParam }) =>
    data(api.GET("/api/v1/registry/skills", { params: { query: { cursor: pageParam, limit: PAGE } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

export const searchQuery = (query: string) =>
  queryOptions({
    queryKey: [...everySkillQuery, "search", query],
    queryFn: ({ signal }) =>
      // The last word may still be on its way.
      data(
        api.GET("/api/v1/registry/search", {
          params: { query: { query, limit: HITS, suggestions: HITS, prefix: true } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const installationsQuery = queryOptions({
  queryKey: [...everySkillQuery, "installations"],
  queryFn: () => data(api.GET("/api/v1/registry/installations")),
});

const keyOf = ({ namespace, name }: Ref) => [...everySkillQuery, "skill", namespace, name];

export const pageQuery = (ref: Ref, version: string) =>
  queryOptions({
    queryKey: [...keyOf(ref), "page", version],
    queryFn: () =>
      data(
        api.GET("/api/v1/registry/skills/{namespace}/{name}/versions/{version}/page", {
          params: { path: { ...ref, version } },
        }),
      ),
  });

export const consentQuery = (ref: Ref, version: string) =>
  queryOptions({
    queryKey: [...keyOf(ref), "consent", version],
    queryFn: () =>
      data(
        api.GET("/api/v1/registry/skills/{namespace}/{name}/versions/{version}/consent", {
          params: { path: { ...ref, version } },
        }),
      ),
    // A person agrees to what holds now, not to what was read some time ago.
    staleTime: 0,
    gcTime: 0,
  });

export const versionsQuery = (ref: Ref) =>
  queryOptions({
    queryKey: [...keyOf(ref), "versions"],
    queryFn: () =>
      data(api.GET("/api/v1/registry/skills/{namespace}/{name}/versions", { params: { path: { ...ref } } })),
  });

/** A file as it is shown; a version never changes. */
export const fileQuery = (ref: Ref, version: string, path: string) =>
  queryOptions({
    queryKey: [...keyOf(ref), "file", version, path],
    queryFn: async () => shownOf(await fileContent(ref, version, path)),
    staleTime: FOREVER,
  });

export function fileContent(ref: Ref, version: string, path: string): Promise<Blob> {
  const answer = api.GET("/api/v1/registry/skills/{namespace}/{name}/versions/{version}/files/{path}", {
    params: { path: { ...ref, version, path } },
    parseAs: "blob",
  });
  return data(answer) as Promise<Blob>;
}

export function archiveContent(ref: Ref, version: string): Promise<Blob> {
  const answer = api.GET("/api/v1/registry/skills/{namespace}/{name}/versions/{version}/archive", {
    params: { path: { ...ref, version } },
    parseAs: "blob",
  });
  return data(answer) as Promise<Blob>;
}
