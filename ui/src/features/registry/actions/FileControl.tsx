import { useMutation } from "@tanstack/react-query";
import { LoaderCircle, X } from "lucide-react";
import type { ChangeEvent } from "react";
import { Button } from "@/components/button";
import { inputStyle } from "@/components/field";
import { Problem } from "@/components/layout";
import { send as upload } from "@/features/orchestrator/files/uploads";
import type { FileField, StoredFile } from "@/features/registry/actions/fields";
import { cn } from "@/lib/cn";
import { bytes } from "@/lib/format";
import { t } from "@/strings";

const words = t.registry.form;

interface Props {
  field: FileField;
  files: StoredFile[];
  onFiles: (files: StoredFile[]) => void;
  control: { id: string; "aria-describedby"?: string; "aria-invalid"?: true };
}

/** Files of one's own for an action; each is uploaded as soon as it is chosen. */
export function FileControl({ field, files, onFiles, control }: Props) {
  const send = useMutation({
    mutationFn: (chosen: File[]) => Promise.all(chosen.map((file) => upload(file))),
    onSuccess: (stored) => onFiles(field.many ? [...files, ...stored] : stored),
  });
  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    const chosen = [...(event.target.files ?? [])];
    // The same file can be chosen again, after it was changed or taken away.
    event.target.value = "";
    if (chosen.length > 0) send.mutate(chosen);
  };
  return (
    <>
      <input
        type="file"
        name={field.name}
        multiple={field.many}
        onChange={choose}
        disabled={send.isPending}
        className={cn(
          inputStyle,
          "file:mr-3 file:rounded-md file:border-0 file:bg-raised file:px-3 file:py-1 file:text-ink",
        )}
        {...control}
      />
      <div aria-live="polite" className="flex flex-col gap-1 text-sm empty:hidden">
        {send.isPending && (
          <p className="flex items-center gap-2 text-quiet">
            <LoaderCircle className="size-4 animate-spin" aria-hidden />
            {words.uploading(send.variables.map((file) => file.name).join(", "))}
          </p>
        )}
        {files.map((file) => (
          <p key={file.id} className="flex items-center gap-2">
            <span className="min-w-0 break-all">{words.fileNote(file.name, bytes(file.size))}</span>
            <Button
              look="quiet"
              size="small"
              aria-label={words.takeAway(file.name)}
              onClick={() => onFiles(files.filter((one) => one !== file))}
            >
              <X aria-hidden />
            </Button>
          </p>
        ))}
      </div>
      {send.isError && <Problem error={send.error} />}
    </>
  );
}
