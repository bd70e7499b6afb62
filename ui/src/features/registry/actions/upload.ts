import { api, data } from "@/api/client";
import type { StoredFile } from "@/features/registry/actions/fields";

/** Uploads a file as it is; an action may then be given it by name. */
export async function upload(file: File): Promise<StoredFile> {
  const { id, name, size } = await data(
    api.POST("/api/v1/orchestrator/files", {
      params: { query: { name: file.name } },
      headers: { "Content-Type": "application/octet-stream" },
      body: file as never,
      bodySerializer: (content: unknown) => content as Blob,
    }),
  );
  return { id, name, size };
}
