import { accounts } from "@/strings/accounts";
import { common } from "@/strings/common";
import { home } from "@/strings/home";
import { orchestrator } from "@/strings/orchestrator";
import { registry } from "@/strings/registry";

/** Every word that the interface shows. Another language is another object of this shape. */
export const t = { ...common, accounts, home, orchestrator, registry };
