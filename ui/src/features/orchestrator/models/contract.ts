/** What the API of connected models takes and gives. */
import type { Client } from "openapi-fetch";
import { api } from "@/api/client";

export interface ModelProvider {
  id: string;
  title: string;
  needs_key: boolean;
  needs_base_url: boolean;
  suggestions: string[];
}

export interface ModelTest {
  status: "running" | "passed" | "failed";
  tested_at: string;
  first_event_ms: number | null;
  total_ms: number | null;
  streaming: boolean | null;
  tool_calling: boolean | null;
  tokens_per_second: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost: {
    input_per_million_microusd: number;
    output_per_million_microusd: number;
    test_microusd: number;
  } | null;
  problem: Record<string, unknown> | null;
}

export interface ModelConnection {
  id: string;
  provider: string;
  model: string;
  base_url: string | null;
  key_hint: string | null;
  chosen: boolean;
  created_at: string;
  test: ModelTest | null;
}

export interface ModelInUse {
  connection_id: string | null;
  provider: string;
  model: string;
  offline: boolean;
  source: "connection" | "settings";
}

export interface ModelOverview {
  providers: ModelProvider[];
  connections: ModelConnection[];
  in_use: ModelInUse;
}

export interface NewModelConnection {
  provider: string;
  model: string;
  base_url?: string | null;
  api_key?: string | null;
}

/** What is left out stays; null takes away. */
export type ModelConnectionChange = Partial<Omit<NewModelConnection, "provider">>;

interface Answer<Status extends number, T> {
  responses: { [status in Status]: { content: { "application/json": T } } };
}
interface Body<T> {
  requestBody: { content: { "application/json": T } };
}
interface ById {
  parameters: { path: { connection_id: string } };
}

interface Paths {
  "/api/v1/orchestrator/models": {
    get: Answer<200, ModelOverview>;
    post: Body<NewModelConnection> & Answer<201, ModelConnection>;
  };
  "/api/v1/orchestrator/models/choice": {
    put: Body<{ connection_id: string | null }> & Answer<200, ModelInUse>;
  };
  "/api/v1/orchestrator/models/{connection_id}": {
    get: ById & Answer<200, ModelConnection>;
    patch: ById & Body<ModelConnectionChange> & Answer<200, ModelConnection>;
    delete: ById & { responses: { 204: { content?: never } } };
  };
  "/api/v1/orchestrator/models/{connection_id}/test": { post: ById & Answer<202, ModelConnection> };
}

export const modelsApi = api as unknown as Client<Paths>;
