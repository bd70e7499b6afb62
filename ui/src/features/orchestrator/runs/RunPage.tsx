import { Page } from "@/components/layout";
import { t } from "@/strings";

export function RunPage() {
  return <Page title={t.runs.title}>{null}</Page>;
}
