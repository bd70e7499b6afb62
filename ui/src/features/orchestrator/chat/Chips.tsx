import { FileText, LoaderCircle, TriangleAlert, X } from "lucide-react";
import { asProblem } from "@/api/problem";
import type { Upload } from "@/features/orchestrator/files/uploads";
import { cn } from "@/lib/cn";
import { bytes } from "@/lib/format";
import { t } from "@/strings";

const words = t.chat.composer;

/** The files that go with the next message. */
export function Chips({ uploads, onRemove }: { uploads: Upload[]; onRemove: (key: number) => void }) {
  if (uploads.length === 0) return null;
  return (
    <ul aria-label={words.files} className="flex flex-wrap gap-2 p-1">
      {uploads.map((upload) => (
        <Chip key={upload.key} upload={upload} onRemove={() => onRemove(upload.key)} />
      ))}
    </ul>
  );
}

function Chip({ upload, onRemove }: { upload: Upload; onRemove: () => void }) {
  const { name, size, share, file, error } = upload;
  const problem = error ? asProblem(error) : null;
  const Icon = problem ? TriangleAlert : file ? FileText : LoaderCircle;
  return (
    <li
      className={cn(
        "flex max-w-full flex-col rounded-lg border bg-raised px-2 py-1 text-xs",
        problem && "border-danger bg-danger-soft",
      )}
    >
      <div className="flex items-center gap-1.5">
        <Icon className={cn("size-4 shrink-0 text-quiet", !file && !problem && "animate-spin")} aria-hidden />
        <span className="min-w-0 truncate">{name}</span>
        <span className="shrink-0 text-quiet">{bytes(size)}</span>
        <button
          type="button"
          aria-label={words.remove(name)}
          onClick={onRemove}
          className="grid size-6 shrink-0 place-items-center rounded hover:bg-surface"
        >
          <X className="size-3.5" aria-hidden />
        </button>
      </div>
      {!file && !problem && (
        <progress
          value={share}
          aria-label={words.uploading(name, share)}
          className="h-1 w-full accent-accent"
        />
      )}
      {problem && (
        <p role="alert" className="text-danger">
          {problem.message} {problem.hint}
        </p>
      )}
    </li>
  );
}
