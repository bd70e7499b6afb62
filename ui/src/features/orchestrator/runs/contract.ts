/** What the API of runs gives. */
import type { Client } from "openapi-fetch";
import { api } from "@/api/client";

export type Kind = "chat" | "trial";
export type Status = "queued" | "running" | "succeeded" | "failed" | "cancelled";

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  requests?: number;
  cost_microusd?: number;
}

export interface Run {
  id: string;
  session_id: string;
  kind: Kind;
  session_title: string;
  question: string;
  replaces: string | null;
  superseded: boolean;
  turn: number;
  status: Status;
  model: string | null;
  usage: Usage;
  error: Record<string, unknown> | null;
  attempt: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface RunSummary extends Run {
  skills: string[];
}

export interface Step {
  index: number;
  kind: "model" | "tool";
  name: string;
  status: "started" | "finished" | "unknown";
  attempt: number;
  timings: Record<string, number | null>;
  input: Record<string, unknown> | null;
  output: Record<string, unknown> | null;
  started_at: string;
  finished_at: string | null;
}

export interface RunDetail extends Run {
  steps: Step[];
}

interface Answer<S extends number, T> {
  responses: { [status in S]: { content: { "application/json": T } } };
}
interface ById {
  parameters: { path: { run_id: string } };
}

interface Paths {
  "/api/v1/orchestrator/runs": {
    get: {
      parameters: { query?: { limit?: number; before?: string; status?: Status; session_id?: string } };
    } & Answer<200, RunSummary[]>;
  };
  "/api/v1/orchestrator/runs/{run_id}": { get: ById & Answer<200, RunDetail> };
  "/api/v1/orchestrator/runs/{run_id}/cancel": { post: ById & Answer<202, RunDetail> };
}

export const runsApi = api as unknown as Client<Paths>;
