import { useRouter } from "@tanstack/react-router";
import { HiddenCharacters } from "@/components/HiddenCharacters";
import { Card } from "@/components/layout";
import { Markdown } from "@/components/Markdown";
import { pathFrom } from "@/features/registry/files/tree";
import type { SkillDetail } from "@/features/registry/queries";
import { visible } from "@/lib/hidden";
import { t } from "@/strings";

const HERE = "SKILL.md";
const PICTURE = /\.(png|jpe?g|gif|webp|avif)$/i;

/** The text of `SKILL.md`; its relative links lead to the files of the same version. */
export function Readme({ skill }: { skill: SkillDetail }) {
  const router = useRouter();
  const { namespace, name, version } = skill;
  const known = (address: string) => {
    const path = pathFrom(HERE, address);
    return skill.files.find((file) => file.path === path)?.path;
  };
  const linkTo = (address: string) => {
    const file = known(address);
    if (!file) return undefined;
    const search = { version, tab: "files", file };
    return router.buildLocation({ to: "/skills/$namespace/$name", params: { namespace, name }, search }).href;
  };
  const pictureAt = (address: string) => {
    const file = known(address);
    if (!file || !PICTURE.test(file)) return undefined;
    const path = file.split("/").map(encodeURIComponent).join("/");
    return `/api/v1/registry/skills/${namespace}/${name}/versions/${version}/files/${path}`;
  };
  if (!skill.readme.trim()) return <p className="text-sm text-quiet">{t.registry.page.noReadme}</p>;
  return (
    <Card className="flex flex-col gap-3">
      <HiddenCharacters text={skill.readme} />
      <Markdown text={visible(skill.readme)} linkTo={linkTo} pictureAt={pictureAt} />
    </Card>
  );
}
