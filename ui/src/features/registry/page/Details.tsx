import type { ReactNode } from "react";
import { CopyButton } from "@/components/CopyButton";
import { Badge, Card, CardTitle } from "@/components/layout";
import type { SkillDetail } from "@/features/registry/queries";
import { bytes, moment } from "@/lib/format";
import { t } from "@/strings";

const words = t.registry.page;

/** The facts of a version that fit in a line each. */
export function Details({ skill }: { skill: SkillDetail }) {
  const size = skill.files.reduce((sum, file) => sum + file.size, 0);
  return (
    <Card className="flex flex-col gap-3">
      <CardTitle>{words.details}</CardTitle>
      <dl className="flex flex-col gap-3 text-sm">
        <Fact name={words.published}>{moment(skill.published_at)}</Fact>
        {skill.published_by && <Fact name={words.publishedBy}>{skill.published_by}</Fact>}
        <Fact name={words.license}>{skill.license ?? words.noLicense}</Fact>
        <Fact name={words.size}>{words.sizeOf(bytes(size), skill.files.length)}</Fact>
        {skill.actions.length > 0 && <Fact name={words.python}>{skill.python}</Fact>}
        {skill.compatibility && <Fact name={words.compatibility}>{skill.compatibility}</Fact>}
        <Labels name={words.categories} labels={skill.categories} />
        <Labels name={words.tags} labels={skill.tags} />
        <Labels
          name={words.requires}
          labels={Object.entries(skill.requires).map(([ref, range]) => `${ref} ${range}`)}
        />
        <Labels
          name={words.variables}
          labels={skill.variables.map((one) => `${one.name}: ${one.default ?? one.type}`)}
        />
        <Fact name={words.digest}>
          <span className="font-mono text-xs break-all">{skill.digest}</span>
          <CopyButton text={skill.digest} label={words.copyDigest} />
        </Fact>
      </dl>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-quiet">{name}</dt>
      <dd dir="auto" className="break-words [unicode-bidi:isolate]">
        {children}
      </dd>
    </div>
  );
}

function Labels({ name, labels }: { name: string; labels: string[] }) {
  if (labels.length === 0) return null;
  return (
    <Fact name={name}>
      <span className="flex flex-wrap gap-1 pt-0.5">
        {labels.map((label) => (
          <Badge key={label} className="max-w-full break-all">
            {label}
          </Badge>
        ))}
      </span>
    </Fact>
  );
}
