import { Link } from "@tanstack/react-router";
import { Package } from "lucide-react";
import { Badge } from "@/components/layout";
import { Frame, Line, statusOf, Trouble } from "@/features/orchestrator/cards/Frame";
import { useGrant } from "@/features/orchestrator/cards/grants";
import { hitOf, hitsOf, isObject, type Run, type Step } from "@/features/orchestrator/stream/run";
import { t } from "@/strings";

const words = t.chat.cards;

export function LoadCard({ run, step }: { run: Run; step: Step }) {
  const asked = isObject(step.input) && typeof step.input.name === "string" ? step.input.name : step.name;
  const { skill, version, unloaded } = step.facts;
  return (
    <Frame
      icon={Package}
      status={statusOf(run, step)}
      ms={step.facts.timings?.load_ms}
      title={
        skill ? (
          <span className="flex flex-wrap items-center gap-x-2">
            <SkillName name={skill} skillRef={step.ref} />
            <Badge>{version}</Badge>
          </span>
        ) : (
          words.loading(asked)
        )
      }
    >
      {skill && (
        <>
          <Line name={words.whyFound}>{reason(run, skill)}</Line>
          <Permissions skill={skill} version={version} />
        </>
      )}
      {unloaded && unloaded.length > 0 && <p className="text-xs text-quiet">{words.leftRoom(unloaded)}</p>}
      <Trouble step={step} />
    </Frame>
  );
}

function SkillName({ name, skillRef }: { name: string; skillRef: string | undefined }) {
  const [namespace, own] = skillRef?.split("/") ?? [];
  if (!namespace || !own) return <span>{words.loaded(name)}</span>;
  return (
    <Link
      to="/skills/$namespace/$name"
      params={{ namespace, name: own }}
      className="font-medium underline-offset-2 hover:underline"
    >
      {words.loaded(name)}
    </Link>
  );
}

function reason(run: Run, skill: string): string {
  const hit = hitOf(run, skill);
  if (!hit) return words.whyUnknown;
  const place = hitsOf(run, hit).indexOf(hit) + 1;
  return place === 1
    ? words.why(hit.score, hit.words, hit.similarity)
    : words.whyFoundAs(place, hit.score, hit.words, hit.similarity);
}

function Permissions({ skill, version }: { skill: string; version: string | undefined }) {
  const grant = useGrant(skill, version);
  if (grant === undefined) return null;
  return (
    <Line name={words.mayDo}>
      {grant === null ? words.notGranted : grant.permissions.map((line) => <p key={line}>{line}</p>)}
    </Line>
  );
}
