import { SquareTerminal } from "lucide-react";
import { HiddenCharacters } from "@/components/HiddenCharacters";
import { Card, Empty } from "@/components/layout";
import { SchemaTable } from "@/features/registry/actions/SchemaTable";
import type { Action, SkillDetail } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.actions;

export function Actions({ skill }: { skill: SkillDetail }) {
  if (skill.actions.length === 0) {
    return (
      <Empty icon={SquareTerminal} title={words.none}>
        {words.noneText}
      </Empty>
    );
  }
  return (
    <div className="flex flex-col gap-4">
      <h2 className="sr-only">{words.title}</h2>
      {skill.actions.map((action) => (
        <ActionCard key={action.name} action={action} />
      ))}
    </div>
  );
}

function ActionCard({ action }: { action: Action }) {
  return (
    <Card className="flex min-w-0 flex-col gap-4">
      <div className="flex flex-col items-start gap-1">
        <h3 className="font-mono text-base font-semibold break-words">{action.name}</h3>
        <p dir="auto" className="text-sm break-words text-quiet [unicode-bidi:isolate]">
          {action.description}
        </p>
        <HiddenCharacters text={action.description} />
      </div>
      <SchemaTable title={words.input} schema={action.input_schema} />
      <SchemaTable title={words.output} schema={action.output_schema} />
    </Card>
  );
}
