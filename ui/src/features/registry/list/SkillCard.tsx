import { Link } from "@tanstack/react-router";
import { ArrowUpCircle, Check } from "lucide-react";
import { HiddenCharacters, TextByOthers } from "@/components/HiddenCharacters";
import { Badge } from "@/components/layout";
import { canUpgrade, degrees, type Entry, type Fit } from "@/features/registry/list/entries";
import { ago } from "@/lib/format";
import { t } from "@/strings";

const words = t.registry.list;

export function SkillCard({ entry }: { entry: Entry }) {
  const { namespace, name } = entry;
  return (
    <li className="relative flex min-w-0 flex-col gap-2 rounded-xl border bg-surface p-4 focus-within:border-accent hover:border-line-strong sm:p-5">
      <div className="flex flex-wrap items-start justify-between gap-2">
        <div className="min-w-0">
          <h2 className="text-base font-semibold break-words">
            <Link
              to="/skills/$namespace/$name"
              params={{ namespace, name }}
              className="after:absolute after:inset-0 after:rounded-xl focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-offset-2 focus-visible:after:outline-accent"
            >
              {name}
            </Link>
          </h2>
          <p className="text-xs break-words text-quiet">{words.by(namespace)}</p>
        </div>
        <State entry={entry} />
      </div>
      <p className="line-clamp-3 text-sm">
        <TextByOthers text={entry.description} />
      </p>
      <HiddenCharacters text={entry.description} />
      <p className="mt-auto flex flex-wrap gap-x-2 pt-1 text-xs text-quiet">
        <span className="break-all">{words.version(entry.version)}</span>
        {entry.updatedAt && (
          <span className="before:mr-2 before:content-['·']">{words.updated(ago(entry.updatedAt))}</span>
        )}
        {entry.fit && (
          <span className="text-accent before:mr-2 before:text-quiet before:content-['·']">
            {fitWords(entry.fit)}
          </span>
        )}
      </p>
    </li>
  );
}

function State({ entry }: { entry: Entry }) {
  if (entry.installed === null) return null;
  return (
    <span className="flex flex-wrap gap-1">
      <Badge tone="success">
        <Check className="size-3.5" aria-hidden />
        {words.installedVersion(entry.installed)}
      </Badge>
      {canUpgrade(entry) && (
        <Badge tone="accent">
          <ArrowUpCircle className="size-3.5" aria-hidden />
          {words.upgrade(entry.version)}
        </Badge>
      )}
    </span>
  );
}

function fitWords(fit: Fit): string {
  const found = degrees(fit);
  const said = [words.fit.words[found.words], words.fit.meaning[found.meaning]].filter(Boolean).join(", ");
  return said ? said.charAt(0).toUpperCase() + said.slice(1) : words.fit.weak;
}
