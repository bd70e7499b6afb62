import { t } from "@/strings";

export function Models() {
  return <h2>{t.models.title}</h2>;
}
