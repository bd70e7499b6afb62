import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChartColumn, FileSearch, type LucideIcon, Play } from "lucide-react";
import type { ReactNode } from "react";
import { Button, buttonStyle } from "@/components/button";
import { Card, Problem } from "@/components/layout";
import campaigns from "@/features/home/campaigns.csv?url";
import { FileDrop } from "@/features/home/FileDrop";
import { installationsQuery, SAMPLE } from "@/features/home/installed";
import { contentOf, useAsk } from "@/features/home/start";
import { t } from "@/strings";

const words = t.home.try;

/** Three examples that need nothing but the sample skills. */
export function TryThese() {
  const installed = useQuery(installationsQuery);
  const missing = installed.data && !installed.data.some(({ ref }) => ref === SAMPLE.ref);
  return (
    <section aria-labelledby="try-these" className="flex flex-col gap-3">
      <div>
        <h2 id="try-these" className="text-lg font-semibold">
          {words.title}
        </h2>
        <p className="text-sm text-quiet">{words.lead}</p>
      </div>
      {missing && <Missing />}
      <div className="grid gap-4 lg:grid-cols-3">
        <AskAboutBudget />
        <ProfileOwnFile />
        <Example icon={Play} title={words.action.title} text={words.action.text}>
          <Link
            to="/skills/$namespace/$name"
            params={SAMPLE}
            search={{ tab: "actions" }}
            className={buttonStyle({})}
          >
            {words.action.action}
          </Link>
        </Example>
      </div>
    </section>
  );
}

function Missing() {
  return (
    <p className="rounded-lg bg-warning-soft px-4 py-3 text-sm text-warning">
      {words.missing}{" "}
      <Link to="/skills" search={{ query: SAMPLE.name }} className="font-medium underline">
        {words.missingAction}
      </Link>
    </p>
  );
}

function Example({
  icon: Icon,
  title,
  text,
  children,
}: {
  icon: LucideIcon;
  title: string;
  text: ReactNode;
  children: ReactNode;
}) {
  return (
    <Card className="flex min-w-0 flex-col gap-3">
      <Icon className="size-6 text-accent" aria-hidden />
      <h3 className="font-semibold">{title}</h3>
      <div className="flex flex-1 flex-col gap-3 text-sm text-quiet">{text}</div>
      <div className="flex flex-col items-start gap-2">{children}</div>
    </Card>
  );
}

function AskAboutBudget() {
  const { budget } = words;
  const ask = useAsk();
  const start = () =>
    ask.mutate({ question: budget.question, name: budget.file, content: () => contentOf(campaigns) });
  const text = (
    <>
      <p className="font-medium text-ink">“{budget.question}”</p>
      <p>{budget.text}</p>
    </>
  );
  return (
    <Example icon={ChartColumn} title={budget.title} text={text}>
      {ask.isError && <Problem error={ask.error} />}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button look="primary" busy={ask.isPending} onClick={start}>
          {budget.action}
        </Button>
        <a href={campaigns} download={budget.file} className="text-sm text-accent hover:underline">
          {budget.data}
        </a>
      </div>
    </Example>
  );
}

function ProfileOwnFile() {
  const { profile } = words;
  const ask = useAsk();
  return (
    <Example icon={FileSearch} title={profile.title} text={<p>{profile.text}</p>}>
      {ask.isError && <Problem error={ask.error} />}
      <FileDrop
        busy={ask.isPending}
        label={ask.isPending ? profile.working(ask.variables.name) : profile.action}
        hint={profile.drop}
        accept=".csv,.tsv,.txt,text/csv"
        onFile={(file) => ask.mutate({ question: profile.question, name: file.name, content: () => file })}
      />
    </Example>
  );
}
