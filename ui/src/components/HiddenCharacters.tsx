import { TriangleAlert } from "lucide-react";
import { Badge } from "@/components/layout";
import { cn } from "@/lib/cn";
import { hiddenIn, pieces } from "@/lib/hidden";
import { t } from "@/strings";

/** A warning where a text by others holds characters that nobody sees; nothing where it holds none. */
export function HiddenCharacters({ text }: { text: string }) {
  const names = hiddenIn(text);
  if (names.length === 0) return null;
  return (
    <Badge tone="warning" className="self-start rounded-lg">
      <TriangleAlert className="size-3.5 shrink-0" aria-hidden />
      {t.hiddenCharacters(names)}
    </Badge>
  );
}

/** A text by others on one line or several; hidden characters stand in it by name and do nothing. */
export function TextByOthers({ text, className }: { text: string; className?: string }) {
  return (
    <span dir="auto" className={cn("wrap-anywhere [unicode-bidi:isolate]", className)}>
      {pieces(text).map((piece) =>
        piece.hidden ? (
          <mark key={piece.at} className="rounded bg-warning-soft px-0.5 text-warning">
            {piece.text}
          </mark>
        ) : (
          piece.text
        ),
      )}
    </span>
  );
}
