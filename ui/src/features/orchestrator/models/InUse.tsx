import { Check, X } from "lucide-react";
import type { Schemas } from "@/api/client";
import { Badge, Card, CardTitle } from "@/components/layout";
import { t } from "@/strings";

const words = t.models.inUse;

/** What answers now; without a language model, what that means. */
export function InUse({ inUse }: { inUse: Schemas["ModelInUse"] }) {
  return (
    <Card className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <CardTitle>{words.title}</CardTitle>
        <Badge tone={inUse.offline ? "warning" : "accent"} className="font-mono break-all">
          {inUse.model}
        </Badge>
      </div>
      {inUse.offline ? (
        <Offline />
      ) : (
        <p className="text-sm text-quiet">
          {inUse.source === "settings" ? words.settings : words.connection}
        </p>
      )}
    </Card>
  );
}

function Offline() {
  return (
    <div className="flex flex-col gap-3 text-sm">
      <p>
        <strong className="font-medium">{words.offline}.</strong> {words.offlineText}
      </p>
      <div className="grid gap-4 sm:grid-cols-2">
        <div>
          <h3 className="font-medium">{words.can}</h3>
          <Points points={words.canDo} good />
        </div>
        <div>
          <h3 className="font-medium">{words.cannot}</h3>
          <Points points={words.cannotDo} />
        </div>
      </div>
    </div>
  );
}

function Points({ points, good = false }: { points: string[]; good?: boolean }) {
  const Icon = good ? Check : X;
  return (
    <ul className="mt-1.5 flex flex-col gap-1.5 text-quiet">
      {points.map((point) => (
        <li key={point} className="flex gap-2">
          <Icon className={`mt-0.5 size-4 shrink-0 ${good ? "text-success" : "text-danger"}`} aria-hidden />
          {point}
        </li>
      ))}
    </ul>
  );
}
