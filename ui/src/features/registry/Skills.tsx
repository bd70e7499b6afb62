import { Page } from "@/components/layout";
import { t } from "@/strings";

export function Skills() {
  return <Page title={t.registry.title}>{null}</Page>;
}
