import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { HiddenCharacters, TextByOthers } from "@/components/HiddenCharacters";
import { Badge, Banner, Page, Problem, Skeleton } from "@/components/layout";
import { Actions } from "@/features/registry/actions/Actions";
import { InstallCard } from "@/features/registry/consent/InstallCard";
import { Permissions } from "@/features/registry/consent/Permissions";
import { Files } from "@/features/registry/files/Files";
import { Breadcrumb } from "@/features/registry/page/Breadcrumb";
import { Details } from "@/features/registry/page/Details";
import { Readme } from "@/features/registry/page/Readme";
import { SkillTabs } from "@/features/registry/page/SkillTabs";
import { Versions } from "@/features/registry/page/Versions";
import { pageQuery, type SkillDetail } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.page;
const route = getRouteApi("/inside/skills/$namespace/$name");

export function SkillPage() {
  const { namespace, name } = route.useParams();
  const { version = "latest" } = route.useSearch();
  const page = useQuery(pageQuery({ namespace, name }, version));
  if (page.isSuccess) return <Shown skill={page.data} />;
  return (
    <Page wide above={<Breadcrumb namespace={namespace} name={name} />} title={name}>
      {page.isError ? <Problem error={page.error} onRetry={page.refetch} /> : <Skeleton lines={5} />}
    </Page>
  );
}

function Shown({ skill }: { skill: SkillDetail }) {
  const { tab, file } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page
      wide
      above={<Breadcrumb namespace={skill.namespace} name={skill.name} />}
      title={skill.name}
      badges={<Badges skill={skill} />}
      lead={<Summary skill={skill} />}
    >
      <Older skill={skill} />
      <div className="grid items-start gap-6 lg:gap-y-4 lg:grid-cols-[minmax(0,1fr)_20rem] lg:grid-rows-[auto_1fr]">
        <div className="flex flex-col gap-4 lg:col-start-2">
          <InstallCard skill={skill} />
          <Permissions skill={skill} />
        </div>
        <div className="min-w-0 lg:col-start-1 lg:row-span-2 lg:row-start-1">
          <SkillTabs
            tab={tab}
            onTab={(next) =>
              void navigate({
                search: ({ version }) => ({ version, tab: next }),
                replace: true,
                resetScroll: false,
              })
            }
            counts={{ actions: skill.actions.length, files: skill.files.length }}
            panels={{
              readme: <Readme skill={skill} />,
              actions: <Actions skill={skill} />,
              files: <Files skill={skill} chosen={file} />,
              versions: <Versions skill={skill} />,
            }}
          />
        </div>
        <div className="lg:col-start-2">
          <Details skill={skill} />
        </div>
      </div>
    </Page>
  );
}

function Badges({ skill }: { skill: SkillDetail }) {
  return (
    <span className="flex flex-wrap gap-1.5">
      <Badge>{skill.version}</Badge>
      {skill.installed && (
        <Badge tone="success">
          <Check className="size-3.5" aria-hidden />
          {t.registry.list.installedVersion(skill.installed.version)}
        </Badge>
      )}
      {skill.visibility === "org" && <Badge>{words.orgOnly}</Badge>}
    </span>
  );
}

function Summary({ skill }: { skill: SkillDetail }) {
  return (
    <div className="flex max-w-3xl flex-col items-start gap-2">
      <p>
        <TextByOthers text={skill.description} />
      </p>
      <HiddenCharacters text={skill.description} />
    </div>
  );
}

function Older({ skill }: { skill: SkillDetail }) {
  const { namespace, name, version, latest_version } = skill;
  if (version === latest_version) return null;
  return (
    <Banner>
      {words.older(version, latest_version)}{" "}
      <Link
        to="/skills/$namespace/$name"
        params={{ namespace, name }}
        className="font-medium underline underline-offset-2"
      >
        {words.toLatest}
      </Link>
    </Banner>
  );
}
