import { Gauge, Globe, KeyRound, type LucideIcon, Plug, ShieldCheck } from "lucide-react";
import { Badge } from "@/components/layout";
import { type Group, groupsOf, type Kind, type Line, staysInside } from "@/features/registry/consent/groups";
import type { Capabilities } from "@/features/registry/queries";
import { t } from "@/strings";

const words = t.registry.capabilities;
const icons: Record<Kind, LucideIcon> = { network: Globe, secrets: KeyRound, services: Plug, limits: Gauge };

/** What a skill may reach and use, in plain words; what differs from `granted` is marked. */
export function CapabilityList({
  declared,
  granted,
}: {
  declared: Capabilities;
  granted?: Capabilities | null;
}) {
  return (
    <ul className="flex flex-col gap-3 text-sm">
      {staysInside(declared) && (
        <li className="flex gap-3">
          <ShieldCheck className="mt-0.5 size-4 shrink-0 text-success" aria-hidden />
          <p>{words.inside}</p>
        </li>
      )}
      {groupsOf(declared, granted).map((group) => (
        <GroupItem key={group.kind} group={group} />
      ))}
    </ul>
  );
}

function GroupItem({ group }: { group: Group }) {
  const Icon = icons[group.kind];
  return (
    <li className="flex gap-3">
      <Icon className="mt-0.5 size-4 shrink-0 text-quiet" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{words.kinds[group.kind]}</p>
        <ul className="mt-0.5 flex flex-col gap-0.5">
          {group.lines.map((line) => (
            <LineItem key={`${line.change} ${line.text}`} line={line} />
          ))}
        </ul>
      </div>
    </li>
  );
}

function LineItem({ line }: { line: Line }) {
  const { text, change, before } = line;
  if (change === "removed" && before === undefined) {
    return (
      <li className="break-words text-quiet">
        <Badge className="mr-1.5">{words.removed}</Badge>
        <del>{text}</del>
      </li>
    );
  }
  const added = change === "added";
  const mark = before === undefined ? words.added : added ? words.raised : words.lowered;
  return (
    <li className="break-words">
      {change !== "kept" && (
        <Badge tone={added ? "warning" : "neutral"} className="mr-1.5">
          {mark}
        </Badge>
      )}
      {added ? <ins className="font-medium no-underline">{text}</ins> : text}
      {before !== undefined && (
        <>
          {" "}
          <del className="text-quiet">{before}</del>
        </>
      )}
    </li>
  );
}
