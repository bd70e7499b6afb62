/** What the API of runs gives; the parts that it leaves open have a form here. */
import type { Schemas } from "@/api/client";

export type Status = Schemas["RunView"]["status"];

export interface Usage {
  input_tokens?: number;
  output_tokens?: number;
  requests?: number;
  cost_microusd?: number;
}

export type Run = Omit<Schemas["RunDetail"], "steps" | "usage"> & { usage: Usage };
export type RunSummary = Run & { skills: string[] };
export type Step = Omit<Schemas["StepView"], "timings"> & { timings: Record<string, number | null> };
export type RunDetail = Run & { steps: Step[] };

export const runOf = (answer: Schemas["RunDetail"]) => answer as RunDetail;
export const summariesOf = (answer: Schemas["RunSummary"][]) => answer as RunSummary[];
