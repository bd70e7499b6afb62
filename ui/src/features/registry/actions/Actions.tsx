import { Link } from "@tanstack/react-router";
import { FlaskConical, SquareTerminal } from "lucide-react";
import { lazy, Suspense, useId, useState } from "react";
import { Button } from "@/components/button";
import { HiddenCharacters, TextByOthers } from "@/components/HiddenCharacters";
import { Card, Empty, Skeleton } from "@/components/layout";
import { SchemaTable } from "@/features/registry/actions/SchemaTable";
import type { Action, SkillDetail } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.actions;
const Trial = lazy(() => import("@/features/registry/actions/Trial"));

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
        <ActionCard key={action.name} skill={skill} action={action} />
      ))}
    </div>
  );
}

function ActionCard({ skill, action }: { skill: SkillDetail; action: Action }) {
  const [trying, setTrying] = useState(false);
  const id = useId();
  const canTry = skill.installed?.digest === skill.digest;
  return (
    <Card className="flex min-w-0 flex-col gap-4">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="flex min-w-0 flex-1 basis-60 flex-col items-start gap-1">
          <h3 className="font-mono text-base font-semibold break-words">{action.name}</h3>
          <p className="text-sm text-quiet">
            <TextByOthers text={action.description} />
          </p>
          <HiddenCharacters text={action.description} />
        </div>
        {canTry && (
          <Button
            aria-expanded={trying}
            aria-controls={id}
            aria-label={`${trying ? words.hide : words.tryIt}: ${action.name}`}
            onClick={() => setTrying(!trying)}
          >
            <FlaskConical aria-hidden />
            {trying ? words.hide : words.tryIt}
          </Button>
        )}
      </div>
      {!canTry && <WhyNot skill={skill} />}
      <div id={id} hidden={!trying}>
        {trying && (
          <Suspense fallback={<Skeleton lines={3} />}>
            <Trial skillRef={skill.ref} action={action} />
          </Suspense>
        )}
      </div>
      <SchemaTable title={words.input} label={words.inputOf(action.name)} schema={action.input_schema} />
      <SchemaTable
        title={words.output}
        label={words.outputOf(action.name)}
        schema={action.output_schema}
        folded
      />
    </Card>
  );
}

function WhyNot({ skill }: { skill: SkillDetail }) {
  const { namespace, name, installed } = skill;
  if (!installed) return <p className="text-sm text-quiet">{words.installFirst}</p>;
  return (
    <p className="text-sm text-quiet">
      {words.otherVersion(installed.version)}{" "}
      <Link
        to="/skills/$namespace/$name"
        params={{ namespace, name }}
        search={{ version: installed.version, tab: "actions" }}
        className="text-accent underline underline-offset-2"
      >
        {words.toInstalled}
      </Link>
    </p>
  );
}
