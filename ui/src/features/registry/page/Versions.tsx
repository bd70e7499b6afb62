import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CopyButton } from "@/components/CopyButton";
import { Badge, Problem, Skeleton } from "@/components/layout";
import { type SkillDetail, versionsQuery } from "@/features/registry/queries";
import { moment } from "@/lib/format";
import { t } from "@/strings";

const words = t.registry.versions;
const SHOWN_DIGITS = 12;

export function Versions({ skill }: { skill: SkillDetail }) {
  const { namespace, name } = skill;
  const versions = useQuery(versionsQuery({ namespace, name }));
  if (versions.isError) return <Problem error={versions.error} onRetry={versions.refetch} />;
  if (versions.isPending) return <Skeleton lines={3} />;
  return (
    <ul className="divide-y rounded-xl border bg-surface">
      {versions.data.items.map(({ version, digest, published_at }) => (
        <li key={version} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-3">
          <div className="min-w-0">
            <p className="flex flex-wrap items-center gap-2">
              <Link
                to="/skills/$namespace/$name"
                params={{ namespace, name }}
                search={{ version, tab: "versions" }}
                className="font-medium break-all text-accent underline underline-offset-2"
              >
                {version}
              </Link>
              {version === skill.latest_version && <Badge tone="accent">{words.newest}</Badge>}
              {version === skill.installed?.version && <Badge tone="success">{words.installed}</Badge>}
              {version === skill.version && <Badge>{words.shown}</Badge>}
            </p>
            <p className="text-xs text-quiet">
              <time dateTime={published_at}>{moment(published_at)}</time>
            </p>
          </div>
          <p className="flex items-center gap-1">
            <code className="font-mono text-xs text-quiet" title={digest}>
              {digest.slice(0, "sha256:".length + SHOWN_DIGITS)}…
            </code>
            <CopyButton text={digest} label={t.registry.page.copyDigest} />
          </p>
        </li>
      ))}
    </ul>
  );
}
