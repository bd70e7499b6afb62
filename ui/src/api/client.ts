import createClient from "openapi-fetch";
import { ApiProblem, problemOf, UNREACHABLE } from "@/api/problem";
import type { components, paths } from "@/api/schema.gen";
import { fetchWithSession } from "@/api/session";
import { t } from "@/strings";

/** The API, typed by its own document: `await data(api.GET("/api/v1/accounts/me"))`. */
export const api = createClient<paths>({ baseUrl: "", fetch: fetchWithSession });

export type Schemas = components["schemas"];

/** An answer's content; a failure, the network's too, is thrown as an `ApiProblem`. */
export async function data<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data: content, error, response } = await answer.catch(unreachable);
  if (!response.ok) throw problemOf(response.status, error);
  return content as T;
}

function unreachable(error: unknown): never {
  throw new ApiProblem(0, UNREACHABLE, t.unreachable, error instanceof Error ? error.message : undefined);
}
