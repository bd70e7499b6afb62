import { Page } from "@/components/layout";
import { t } from "@/strings";

export function Chat() {
  return <Page title={t.chat.title}>{null}</Page>;
}
