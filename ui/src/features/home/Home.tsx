import { Page } from "@/components/layout";
import { t } from "@/strings";

export function Home() {
  return <Page title={t.home.title}>{null}</Page>;
}
