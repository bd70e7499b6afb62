import { Download } from "lucide-react";
import { buttonStyle } from "@/components/button";
import { bytes } from "@/lib/format";
import { t } from "@/strings";

const words = t.runs.step;

export interface Artifact {
  id: string;
  name: string;
  size: number;
  media_type: string;
  url: string;
}

/** Files that an action made: pictures are shown, everything can be downloaded. */
export function Artifacts({ artifacts }: { artifacts: Artifact[] }) {
  return (
    <ul className="flex flex-col gap-3">
      {artifacts.map((artifact) => (
        <li key={artifact.id} className="flex flex-col gap-2">
          {artifact.media_type.startsWith("image/") && (
            <img
              src={content(artifact)}
              alt={artifact.name}
              loading="lazy"
              className="max-h-96 max-w-full self-start rounded-lg border bg-surface"
            />
          )}
          <a
            href={content(artifact)}
            download={artifact.name}
            aria-label={words.download(artifact.name)}
            className={buttonStyle({ size: "small", className: "max-w-full self-start" })}
          >
            <Download aria-hidden />
            <span className="truncate">{artifact.name}</span>
            <span className="text-quiet">{bytes(artifact.size)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Never an address that a step's output names: the file's own. */
const content = ({ id }: Artifact) => `/api/v1/orchestrator/files/${encodeURIComponent(id)}/content`;
