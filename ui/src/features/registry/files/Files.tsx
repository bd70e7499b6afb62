import { Link } from "@tanstack/react-router";
import { Download, FileText, Folder as FolderIcon } from "lucide-react";
import { lazy, Suspense } from "react";
import { Button } from "@/components/button";
import { Badge, Skeleton } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { save } from "@/features/registry/files/download";
import { type Folder, nameOf, treeOf } from "@/features/registry/files/tree";
import { archiveContent, type File, type SkillDetail } from "@/features/registry/queries";
import { bytes } from "@/lib/format";
import { t } from "@/strings";

const words = t.registry.files;
const FileViewer = lazy(() => import("@/features/registry/files/FileViewer"));

export function Files({ skill, chosen }: { skill: SkillDetail; chosen: string | undefined }) {
  const file = skill.files.find((one) => one.path === chosen);
  return (
    <div className="flex flex-col gap-4">
      <nav aria-label={words.tree} className="rounded-xl border bg-surface p-3">
        <Entries folder={treeOf(skill.files)} skill={skill} chosen={chosen} />
      </nav>
      <DownloadAll skill={skill} />
      {chosen === undefined ? (
        <p className="text-sm text-quiet">{words.choose}</p>
      ) : file ? (
        <Suspense fallback={<Skeleton lines={5} />}>
          <FileViewer key={`${skill.version} ${file.path}`} skill={skill} file={file} />
        </Suspense>
      ) : (
        <p className="text-sm text-quiet">{words.missing}</p>
      )}
    </div>
  );
}

interface Within {
  folder: Folder;
  skill: SkillDetail;
  chosen: string | undefined;
}

function Entries({ folder, skill, chosen }: Within) {
  return (
    <ul className="flex flex-col text-sm">
      {folder.folders.map((inner) => (
        <li key={inner.path}>
          <details open>
            <summary className="flex cursor-pointer items-center gap-2 rounded-lg px-2 py-1.5 hover:bg-raised">
              <FolderIcon className="size-4 shrink-0 text-quiet" aria-hidden />
              <span className="min-w-0 font-medium break-all">{inner.name}</span>
            </summary>
            <div className="ml-4 border-l pl-2">
              <Entries folder={inner} skill={skill} chosen={chosen} />
            </div>
          </details>
        </li>
      ))}
      {folder.files.map((file) => (
        <FileEntry key={file.path} file={file} skill={skill} isChosen={file.path === chosen} />
      ))}
    </ul>
  );
}

function FileEntry({ file, skill, isChosen }: { file: File; skill: SkillDetail; isChosen: boolean }) {
  const { namespace, name } = skill;
  return (
    <li>
      <Link
        to="/skills/$namespace/$name"
        params={{ namespace, name }}
        search={(now) => ({ version: now.version, tab: "files", file: file.path })}
        resetScroll={false}
        replace
        aria-current={isChosen}
        className="flex items-center gap-2 rounded-lg px-2 py-1.5 hover:bg-raised aria-[current=true]:bg-accent-soft aria-[current=true]:text-accent"
      >
        <FileText className="size-4 shrink-0 text-quiet" aria-hidden />
        <span className="min-w-0 flex-1 break-all">{nameOf(file.path)}</span>
        {file.executable && <Badge>{words.executable}</Badge>}
        <span className="shrink-0 text-xs text-quiet">{bytes(file.size)}</span>
      </Link>
    </li>
  );
}

function DownloadAll({ skill }: { skill: SkillDetail }) {
  const { fail } = useNotices();
  const { namespace, name, version } = skill;
  const download = () =>
    archiveContent({ namespace, name }, version)
      .then((content) => save(content, `${name}-${version}.skill`))
      .catch(fail);
  return (
    <Button size="small" onClick={download} className="self-start">
      <Download aria-hidden />
      {words.downloadAll}
    </Button>
  );
}
