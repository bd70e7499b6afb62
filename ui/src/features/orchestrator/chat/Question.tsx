import { FileText, Pencil } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useId, useRef, useState } from "react";
import { Button } from "@/components/button";
import { Textarea } from "@/components/field";
import type { Outgoing } from "@/features/orchestrator/chat/sending";
import type { FileRef } from "@/features/orchestrator/stream/events";
import { hasEnded, type Run } from "@/features/orchestrator/stream/run";
import { bytes } from "@/lib/format";
import { t } from "@/strings";

const words = t.chat.turn;

interface Props {
  run: Run;
  message: NonNullable<Run["message"]>;
  sending: boolean;
  onSend: (message: Outgoing) => Promise<unknown>;
}

/** What the person asked; it can be changed and asked again. */
export function Question({ run, message, sending, onSend }: Props) {
  const [editing, setEditing] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const stop = () => {
    setEditing(false);
    requestAnimationFrame(() => pencil.current?.focus());
  };
  if (editing) {
    const resend = async (text: string) => {
      await onSend({ text, files: message.files, replaces: run.id });
      setEditing(false);
    };
    return <Edit text={message.text} files={message.files} onSend={resend} onCancel={stop} />;
  }
  return (
    <div className="group flex flex-col items-end gap-1">
      <div className="max-w-[90%] rounded-2xl rounded-br-sm bg-accent-soft px-4 py-2 text-sm sm:max-w-[80%]">
        <p className="break-words whitespace-pre-wrap">{message.text}</p>
        <Files files={message.files} />
      </div>
      {hasEnded(run) && (
        <Button
          ref={pencil}
          look="quiet"
          size="small"
          disabled={sending}
          onClick={() => setEditing(true)}
          className="focus-visible:opacity-100 pointer-fine:opacity-0 pointer-fine:group-focus-within:opacity-100 pointer-fine:group-hover:opacity-100"
        >
          <Pencil aria-hidden />
          {words.edit}
        </Button>
      )}
    </div>
  );
}

function Files({ files }: { files: FileRef[] }) {
  if (files.length === 0) return null;
  return (
    <ul aria-label={t.chat.composer.files} className="mt-1.5 flex flex-wrap gap-1.5">
      {files.map((file) => (
        <li key={file.id}>
          <a
            href={`/api/v1/orchestrator/files/${file.id}/content`}
            download={file.name}
            className="flex items-center gap-1.5 rounded-lg border bg-surface px-2 py-1 text-xs hover:bg-raised"
          >
            <FileText className="size-3.5 shrink-0 text-quiet" aria-hidden />
            <span className="break-all">{file.name}</span>
            <span className="shrink-0 text-quiet">{bytes(file.size)}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Edit({
  text,
  files,
  onSend,
  onCancel,
}: {
  text: string;
  files: FileRef[];
  onSend: (text: string) => Promise<void>;
  onCancel: () => void;
}) {
  const warning = useId();
  const [fresh, setFresh] = useState(text);
  const [busy, setBusy] = useState(false);
  const send = async () => {
    if (!fresh.trim() || busy) return;
    setBusy(true);
    await onSend(fresh).catch(() => setBusy(false));
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onCancel();
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      onSubmit={submit}
      className="flex flex-col gap-2 rounded-xl border border-line-strong bg-surface p-3"
    >
      <Textarea
        aria-label={words.editLabel}
        aria-describedby={warning}
        value={fresh}
        onChange={(event) => setFresh(event.target.value)}
        onKeyDown={onKeyDown}
        className="field-sizing-content max-h-64 min-h-10 resize-none text-base sm:text-sm"
        autoFocus
      />
      <Files files={files} />
      <div className="flex flex-wrap items-center justify-end gap-2">
        <p id={warning} className="flex-1 text-xs text-quiet">
          {words.editWarning}
        </p>
        <Button onClick={onCancel}>{t.cancel}</Button>
        <Button look="primary" type="submit" busy={busy} disabled={!fresh.trim()}>
          {words.resend}
        </Button>
      </div>
    </form>
  );
}
