import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, data } from "@/api/client";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { Banner, Problem, Skeleton } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { CapabilityList } from "@/features/registry/consent/CapabilityList";
import { type Consent, consentQuery, everySkillQuery, type SkillDetail } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.consent;

interface Props {
  skill: SkillDetail;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}

/** What a version will be able to do, before somebody agrees to it. */
export function ConsentDialog({ skill, open, onOpenChange }: Props) {
  const { name, version, installed } = skill;
  const title = installed ? words.upgradeTitle(name, installed.version, version) : words.title(name, version);
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={title}>
      <Terms skill={skill} onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

function Terms({ skill, onDone }: { skill: SkillDetail; onDone: () => void }) {
  const consent = useQuery(consentQuery({ namespace: skill.namespace, name: skill.name }, skill.version));
  const agree = useInstall(skill, onDone);
  const readAgain = async () => {
    await consent.refetch();
    agree.reset();
  };
  if (consent.isError) return <Problem error={consent.error} onRetry={consent.refetch} />;
  if (consent.isPending) return <Skeleton lines={4} />;
  return (
    <>
      <Asks consent={consent.data} />
      <CapabilityList declared={consent.data.declared} granted={consent.data.granted} />
      <p className="text-sm text-quiet">
        {skill.actions.length > 0 ? words.runsCode : words.instructs} {words.pinned}
      </p>
      {agree.isError && <Problem error={agree.error} onRetry={readAgain} />}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onDone}>{t.cancel}</Button>
        <Button look="primary" busy={agree.isPending} onClick={() => agree.mutate(consent.data)}>
          {action(consent.data, skill)}
        </Button>
      </div>
    </>
  );
}

function Asks({ consent }: { consent: Consent }) {
  if (consent.installed_version === null) return <p className="text-sm">{words.lead}</p>;
  return consent.needs_consent ? (
    <Banner>{words.asksMore}</Banner>
  ) : (
    <Banner tone="success">{words.asksNoMore}</Banner>
  );
}

function action(consent: Consent, skill: SkillDetail): string {
  if (consent.installed_version === null) return words.agree;
  if (consent.needs_consent) return words.agreeMove(skill.version);
  return skill.version === skill.latest_version ? words.upgrade : words.change;
}

/** Installs what was read and nothing else: this version with this content, and what it declared there. */
function useInstall(skill: SkillDetail, onDone: () => void) {
  const queries = useQueryClient();
  const { say } = useNotices();
  return useMutation({
    mutationFn: ({ version, digest, declared }: Consent) =>
      data(
        api.PUT("/api/v1/registry/installations/{namespace}/{name}", {
          params: { path: { namespace: skill.namespace, name: skill.name } },
          body: { version, digest, granted: { ...declared, network: declared.network ?? [] } },
        }),
      ),
    onSuccess: async (installation) => {
      await queries.invalidateQueries({ queryKey: everySkillQuery });
      say(t.registry.install.installed(skill.name, installation.version));
      onDone();
    },
  });
}
