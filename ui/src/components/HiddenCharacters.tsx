import { TriangleAlert } from "lucide-react";
import { Badge } from "@/components/layout";
import { hiddenIn } from "@/lib/hidden";
import { t } from "@/strings";

/** A warning where a text by others holds characters that nobody sees; nothing where it holds none. */
export function HiddenCharacters({ text }: { text: string }) {
  const names = hiddenIn(text);
  if (names.length === 0) return null;
  return (
    <Badge tone="warning" className="rounded-lg">
      <TriangleAlert className="size-3.5 shrink-0" aria-hidden />
      {t.hiddenCharacters(names)}
    </Badge>
  );
}
