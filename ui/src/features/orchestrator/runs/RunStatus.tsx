import { Ban, CircleAlert, CircleCheck, Clock, LoaderCircle, type LucideIcon } from "lucide-react";
import type { ComponentProps } from "react";
import { Badge } from "@/components/layout";
import type { Status } from "@/features/orchestrator/runs/types";
import { t } from "@/strings";

type Tone = ComponentProps<typeof Badge>["tone"];

const looks: Record<Status, { icon: LucideIcon; tone: Tone }> = {
  queued: { icon: Clock, tone: "neutral" },
  running: { icon: LoaderCircle, tone: "accent" },
  succeeded: { icon: CircleCheck, tone: "success" },
  failed: { icon: CircleAlert, tone: "danger" },
  cancelled: { icon: Ban, tone: "warning" },
};

/** A status as an icon and a word. */
export function RunStatus({ status }: { status: Status }) {
  const { icon: Icon, tone } = looks[status];
  return (
    <Badge tone={tone} className="whitespace-nowrap">
      <Icon className={`size-3.5 ${status === "running" ? "animate-spin" : ""}`} aria-hidden />
      {t.runs.status[status]}
    </Badge>
  );
}
