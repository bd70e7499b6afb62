import { useQueryClient } from "@tanstack/react-query";
import { ArrowUpCircle, Download } from "lucide-react";
import { useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/button";
import { CopyButton } from "@/components/CopyButton";
import { Confirm } from "@/components/dialog";
import { Card, CardTitle } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { useMe } from "@/features/accounts/me";
import { ConsentDialog } from "@/features/registry/consent/ConsentDialog";
import { everySkillQuery, type SkillDetail } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.install;

/** Install, upgrade, uninstall: what the reader of this page may do with this version. */
export function InstallCard({ skill }: { skill: SkillDetail }) {
  const me = useMe();
  const role = me.organisations.find((one) => one.id === me.organisation_id)?.role;
  const mayInstall = role === "admin" || role === "owner";
  return (
    <Card className="flex flex-col gap-3">
      <CardTitle>{words.title}</CardTitle>
      <p className="text-sm text-quiet">{standing(skill)}</p>
      {mayInstall ? <Actions skill={skill} /> : <p className="text-sm">{words.notAdmin}</p>}
      {mayInstall && !isCurrent(skill) && <FromTerminal skill={skill} />}
    </Card>
  );
}

function isCurrent({ installed, digest }: SkillDetail): boolean {
  return installed?.digest === digest;
}

function standing(skill: SkillDetail): string {
  if (!skill.installed) return words.notInstalled;
  return isCurrent(skill)
    ? words.isInstalled(skill.installed.version)
    : words.otherInstalled(skill.installed.version);
}

function Actions({ skill }: { skill: SkillDetail }) {
  const [asking, setAsking] = useState(false);
  const upgrades = skill.installed && skill.version === skill.latest_version;
  const Icon = upgrades ? ArrowUpCircle : Download;
  return (
    <div className="flex flex-wrap gap-2">
      {!isCurrent(skill) && (
        <Button look="primary" onClick={() => setAsking(true)}>
          <Icon aria-hidden />
          {actionWords(skill)}
        </Button>
      )}
      {skill.installed && <Uninstall skill={skill} />}
      <ConsentDialog skill={skill} open={asking} onOpenChange={setAsking} />
    </div>
  );
}

function actionWords({ installed, version, latest_version }: SkillDetail): string {
  if (!installed) return version === latest_version ? words.install : words.installVersion(version);
  return version === latest_version ? words.upgrade(version) : words.change(version);
}

function Uninstall({ skill }: { skill: SkillDetail }) {
  const queries = useQueryClient();
  const { say, fail } = useNotices();
  const { namespace, name } = skill;
  const uninstall = async () => {
    try {
      await data(
        api.DELETE("/api/v1/registry/installations/{namespace}/{name}", {
          params: { path: { namespace, name } },
        }),
      );
      await queries.invalidateQueries({ queryKey: everySkillQuery });
      say(words.uninstalled(name));
    } catch (error) {
      fail(error);
    }
  };
  return (
    <Confirm
      title={words.uninstallTitle(name)}
      description={words.uninstallText}
      action={words.uninstall}
      onConfirm={uninstall}
    >
      <Button look="danger">{words.uninstall}</Button>
    </Confirm>
  );
}

/** The same by the command line, for scripts. */
function FromTerminal({ skill }: { skill: SkillDetail }) {
  const command = `raptorflow skill install ${skill.ref}@=${skill.version} --server --url ${window.location.origin}`;
  return (
    <details className="text-sm">
      <summary className="cursor-pointer text-quiet hover:text-ink">{words.terminal}</summary>
      <p className="mt-2 text-xs text-quiet">{words.terminalHint}</p>
      <code className="mt-2 block rounded-lg bg-raised p-3 font-mono text-xs break-all whitespace-pre-wrap">
        {command}
      </code>
      <CopyButton text={command} label={words.copyCommand} />
    </details>
  );
}
