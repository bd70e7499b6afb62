import { t } from "@/strings";

/** A failure as the API tells it (RFC 9457): a fact, and what to do about it. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
    readonly details?: Record<string, unknown>,
    readonly requestId?: string,
  ) {
    super(message);
    this.name = "ApiProblem";
  }
}

export function problemOf(status: number, body: unknown): ApiProblem {
  const told = (body ?? {}) as Record<string, unknown>;
  const text = (key: string) => (typeof told[key] === "string" ? (told[key] as string) : undefined);
  return new ApiProblem(
    status,
    text("code") ?? "unreadable-answer",
    text("detail") ?? `The server answered with status ${status}.`,
    text("hint"),
    told.details as Record<string, unknown> | undefined,
    text("request_id"),
  );
}

export const UNREACHABLE = "server-unreachable";

/** Anything that was thrown, as a problem that can be shown. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiProblem(0, "unexpected-failure", t.crashed.text, message);
}
