import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { buttonStyle } from "@/components/button";
import { Badge, Card, Problem, Skeleton } from "@/components/layout";
import { installationsQuery } from "@/features/home/installed";
import { modelsQuery } from "@/features/orchestrator/models/queries";
import { latestRunsQuery } from "@/features/orchestrator/runs/queries";
import { RunStatus } from "@/features/orchestrator/runs/RunStatus";
import { When } from "@/features/orchestrator/runs/When";
import { cn } from "@/lib/cn";
import { t } from "@/strings";

const words = t.home.house;

/** What answers, what is installed, what was asked last. */
export function House() {
  return (
    <section aria-labelledby="house" className="flex flex-col gap-3">
      <h2 id="house" className="text-lg font-semibold">
        {words.title}
      </h2>
      <div className="grid gap-4 lg:grid-cols-3">
        <Model />
        <Skills />
        <LastRuns />
      </div>
    </section>
  );
}

function Part({ title, link, children }: { title: string; link?: ReactNode; children: ReactNode }) {
  return (
    <Card className="flex min-w-0 flex-col gap-3 text-sm">
      <div className="flex min-h-8 flex-wrap items-center justify-between gap-2">
        <h3 className="font-semibold">{title}</h3>
        {link}
      </div>
      {children}
    </Card>
  );
}

const go = cn(buttonStyle({ size: "small", look: "quiet" }), "-mr-2.5 text-accent");

function Model() {
  const models = useQuery(modelsQuery);
  const inUse = models.data?.in_use;
  const link = (
    <Link to="/settings/models" className={go}>
      {inUse?.offline ? words.connect : words.change}
    </Link>
  );
  return (
    <Part title={words.model} link={inUse && link}>
      {models.isPending && <Skeleton lines={2} />}
      {models.isError && <Problem error={models.error} onRetry={models.refetch} />}
      {inUse && (
        <>
          <Badge tone={inUse.offline ? "warning" : "accent"} className="self-start font-mono break-all">
            {inUse.model}
          </Badge>
          {inUse.offline && <p className="text-quiet">{words.offline}</p>}
        </>
      )}
    </Part>
  );
}

function Skills() {
  const installed = useQuery(installationsQuery);
  const link = (
    <Link to="/skills" className={go}>
      {words.browse}
    </Link>
  );
  return (
    <Part title={words.skills} link={link}>
      {installed.isPending && <Skeleton lines={2} />}
      {installed.isError && <Problem error={installed.error} onRetry={installed.refetch} />}
      {installed.data && (
        <p className="text-quiet">
          {installed.data.length > 0 ? words.installed(installed.data.length) : words.noSkills}
        </p>
      )}
      <ul className="flex flex-wrap gap-1.5">
        {installed.data?.map(({ id, ref, name, version }) => (
          <li key={id}>
            <Link
              to="/skills/$namespace/$name"
              params={{ namespace: ref.split("/", 1)[0] ?? "", name }}
              className="inline-flex rounded-full border px-2.5 py-1 text-xs hover:bg-raised"
            >
              {name} {version}
            </Link>
          </li>
        ))}
      </ul>
    </Part>
  );
}

function LastRuns() {
  const runs = useQuery(latestRunsQuery);
  const link = (
    <Link to="/runs" className={go}>
      {words.allRuns}
    </Link>
  );
  return (
    <Part title={words.runs} link={link}>
      {runs.isPending && <Skeleton lines={3} />}
      {runs.isError && <Problem error={runs.error} onRetry={runs.refetch} />}
      {runs.data?.length === 0 && <p className="text-quiet">{words.noRuns}</p>}
      <ul className="flex flex-col gap-2.5">
        {runs.data?.map((run) => (
          <li key={run.id} className="flex items-center justify-between gap-3">
            <div className="min-w-0">
              <Link
                to="/runs/$runId"
                params={{ runId: run.id }}
                className="block truncate font-medium hover:underline"
              >
                {run.question}
              </Link>
              <p className="text-xs text-quiet">
                <When at={run.created_at} />
              </p>
            </div>
            <RunStatus status={run.status} />
          </li>
        ))}
      </ul>
    </Part>
  );
}
