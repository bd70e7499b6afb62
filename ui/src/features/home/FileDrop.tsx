import { LoaderCircle, Upload } from "lucide-react";
import { type DragEvent, useState } from "react";
import { cn } from "@/lib/cn";

interface Props {
  label: string;
  hint: string;
  accept: string;
  busy: boolean;
  onFile: (file: File) => void;
}

/** A file by choosing or by dropping it: the whole area is the label of the browser's own control. */
export function FileDrop({ label, hint, accept, busy, onFile }: Props) {
  const [over, setOver] = useState(false);
  const take = (files: FileList | null) => {
    const file = files?.[0];
    if (file && !busy) onFile(file);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const Icon = busy ? LoaderCircle : Upload;
  return (
    <label
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
      className={cn(
        "flex w-full cursor-pointer flex-wrap items-center gap-x-2 gap-y-1 rounded-lg border border-dashed border-line-strong px-3.5 py-3 text-sm font-medium hover:bg-raised has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent",
        over && "border-accent bg-accent-soft",
      )}
    >
      <input
        type="file"
        accept={accept}
        disabled={busy}
        className="sr-only"
        onChange={(event) => {
          take(event.target.files);
          // Choosing the same file again is asking again.
          event.target.value = "";
        }}
      />
      <Icon className={cn("size-4 shrink-0", busy && "animate-spin")} aria-hidden />
      <span className="min-w-0 break-words">{label}</span>
      {!busy && <span className="font-normal text-quiet">{hint}</span>}
    </label>
  );
}
