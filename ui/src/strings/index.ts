import { accounts } from "@/strings/accounts";
import { chat } from "@/strings/chat";
import { common } from "@/strings/common";
import { home } from "@/strings/home";
import { models } from "@/strings/models";
import { registry } from "@/strings/registry";
import { runs } from "@/strings/runs";

/** Every word that the interface shows. Another language is another object of this shape. */
export const t = { ...common, accounts, chat, home, models, registry, runs };
