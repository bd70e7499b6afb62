import { Page } from "@/components/layout";
import { t } from "@/strings";

export function SkillPage() {
  return <Page title={t.registry.title}>{null}</Page>;
}
