import { queryOptions } from "@tanstack/react-query";
import { api, data } from "@/api/client";

/** What the examples are made for. */
export const SAMPLE = { namespace: "raptorflow", name: "analytics", ref: "raptorflow/analytics" };

export const installationsQuery = queryOptions({
  queryKey: ["registry", "installations"],
  queryFn: () => data(api.GET("/api/v1/registry/installations")),
});
