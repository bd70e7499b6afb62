import { Link } from "@tanstack/react-router";
import { PackageSearch } from "lucide-react";
import { Empty } from "@/components/layout";
import { t } from "@/strings";

const words = t.registry.list.empty;

/** An empty list, and what to do about it. */
export function Nothing({ query, installed }: { query: string; installed: boolean }) {
  const [title, text] = advice(query !== "", installed);
  return (
    <Empty icon={PackageSearch} title={title}>
      <p>{text}</p>
      {installed && (
        <Link
          to="/skills"
          search={query ? { query } : {}}
          className="mt-2 inline-block text-accent underline underline-offset-2"
        >
          {words.showAll}
        </Link>
      )}
    </Empty>
  );
}

function advice(searching: boolean, installed: boolean): [string, string] {
  if (searching)
    return installed ? [words.noInstalledHit, words.noInstalledHitText] : [words.noHit, words.noHitText];
  return installed ? [words.notInstalled, words.notInstalledText] : [words.none, words.noneText];
}
