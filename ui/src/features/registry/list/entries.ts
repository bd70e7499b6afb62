import type { Schemas } from "@/api/client";

/** A skill in the list, wherever it was found. */
export interface Entry {
  ref: string;
  namespace: string;
  name: string;
  /** The newest version. */
  version: string;
  description: string;
  installed: string | null;
  updatedAt?: string;
  /** How it fits what was searched for. */
  fit?: Fit;
}

export interface Fit {
  /** Which part of the question's words it has, 0 to 1. */
  words: number;
  /** How close it is in meaning, -1 to 1. */
  similarity: number;
}

type Installed = Schemas["Installation"];

export function fromList(skill: Schemas["SkillSummary"]): Entry {
  const { ref, namespace, name, version, description } = skill;
  return {
    ref,
    namespace,
    name,
    version,
    description,
    installed: skill.installed_version,
    updatedAt: skill.updated_at,
  };
}

export function fromInstallation(installation: Installed): Entry {
  const { ref, namespace, name, description, version } = installation;
  return { ref, namespace, name, version: installation.latest_version, description, installed: version };
}

/** A search answers with the installed version of what is installed; the newest one is known to the installation. */
export function fromHit(hit: Schemas["SkillHit"], installations: Installed[]): Entry {
  const { ref, description, words, similarity } = hit;
  const [namespace = "", name = ""] = ref.split("/");
  const known = installations.find((installation) => installation.ref === ref);
  return {
    ref,
    namespace,
    name,
    version: known?.latest_version ?? hit.version,
    description,
    installed: known?.version ?? (hit.installed ? hit.version : null),
    fit: { words, similarity },
  };
}

export function canUpgrade(entry: Entry): boolean {
  return entry.installed !== null && entry.installed !== entry.version;
}

export type Degree = "most" | "some" | "none";

/** How much of the words, and how near the meaning, in steps that a person can tell apart. */
export function degrees(fit: Fit): { words: Degree; meaning: Degree } {
  return { words: degree(fit.words, 0.6, 0.2), meaning: degree(fit.similarity, 0.5, 0.3) };
}

/** Whether it fits what was searched for, more than anything would. */
export function fits(entry: Entry): boolean {
  if (!entry.fit) return true;
  const { words, meaning } = degrees(entry.fit);
  return words !== "none" || meaning !== "none";
}

function degree(value: number, much: number, little: number): Degree {
  if (value >= much) return "most";
  return value >= little ? "some" : "none";
}
