import { Terminal } from "lucide-react";
import { Card, CardTitle } from "@/components/layout";
import { CapabilityList } from "@/features/registry/consent/CapabilityList";
import type { SkillDetail } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.capabilities;

/** What a version asks for, for whoever looks at its page. */
export function Permissions({ skill }: { skill: SkillDetail }) {
  return (
    <Card className="flex flex-col gap-3">
      <CardTitle>{words.title}</CardTitle>
      <p className="flex gap-3 text-sm">
        <Terminal className="mt-0.5 size-4 shrink-0 text-quiet" aria-hidden />
        <span>
          <span className="block font-semibold">{words.runsCode}</span>
          {skill.actions.length > 0 ? words.runs(skill.actions.length) : words.runsNone}
        </span>
      </p>
      <CapabilityList declared={skill.capabilities} />
    </Card>
  );
}
