import { Tabs } from "radix-ui";
import type { ReactNode } from "react";
import { t } from "@/strings";

const words = t.registry.page;
export type Tab = "readme" | "actions" | "files" | "versions";
const tabs: Tab[] = ["readme", "actions", "files", "versions"];

interface Props {
  tab: string | undefined;
  onTab: (tab: Tab) => void;
  counts: Partial<Record<Tab, number>>;
  panels: Record<Tab, ReactNode>;
}

export function SkillTabs({ tab, onTab, counts, panels }: Props) {
  const shown = tabs.find((one) => one === tab) ?? "readme";
  return (
    <Tabs.Root value={shown} onValueChange={(value) => onTab(value as Tab)} className="min-w-0">
      <Tabs.List aria-label={words.tabs} className="mb-4 flex gap-1 overflow-x-auto border-b">
        {tabs.map((one) => (
          <Tabs.Trigger
            key={one}
            value={one}
            className="-mb-px border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-quiet hover:text-ink focus-visible:rounded-lg focus-visible:-outline-offset-2 data-[state=active]:border-accent data-[state=active]:text-accent"
          >
            {words[one]}
            {counts[one] !== undefined && <span className="ml-1.5 text-xs">{counts[one]}</span>}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {tabs.map((one) => (
        <Tabs.Content key={one} value={one} className="rounded-lg">
          {panels[one]}
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}
