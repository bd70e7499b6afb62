import { Download, FileText } from "lucide-react";
import { buttonStyle } from "@/components/button";
import type { Artifact } from "@/features/orchestrator/stream/events";
import { bytes } from "@/lib/format";
import { t } from "@/strings";

const words = t.chat.cards;
/** What browsers draw; SVG too, as nothing in it can act inside `<img>`. */
const PICTURES = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "image/svg+xml",
]);

/** Never an address that a step's output names: the file's own. */
const contentOf = ({ id }: { id: string }) => `/api/v1/orchestrator/files/${encodeURIComponent(id)}/content`;

/** Files that actions made: pictures to look at, everything to download. */
export function ArtifactList({ artifacts }: { artifacts: Artifact[] }) {
  if (artifacts.length === 0) return null;
  return (
    <ul aria-label={words.artifacts} className="flex flex-col gap-3">
      {artifacts.map((file) => (
        <li key={file.id}>
          {PICTURES.has(file.media_type) ? <Picture file={file} /> : <FileLine file={file} />}
        </li>
      ))}
    </ul>
  );
}

function Picture({ file }: { file: Artifact }) {
  return (
    <figure className="flex flex-col gap-1">
      <img
        src={contentOf(file)}
        alt={words.picture(file.name)}
        className="max-h-112 max-w-full self-start rounded-lg border bg-white object-contain"
      />
      <figcaption>
        <FileLine file={file} />
      </figcaption>
    </figure>
  );
}

function FileLine({ file }: { file: Artifact }) {
  return (
    <div className="flex items-center gap-2 text-xs">
      <FileText className="size-4 shrink-0 text-quiet" aria-hidden />
      <span className="min-w-0 break-all">{file.name}</span>
      <span className="shrink-0 text-quiet">{bytes(file.size)}</span>
      <a
        href={contentOf(file)}
        download={file.name}
        aria-label={words.download(file.name)}
        className={buttonStyle({ look: "quiet", size: "small" })}
      >
        <Download aria-hidden />
      </a>
    </div>
  );
}
