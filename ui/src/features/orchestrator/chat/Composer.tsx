import { ArrowUp, Paperclip, Square } from "lucide-react";
import { type ClipboardEvent, type FormEvent, type KeyboardEvent, type Ref, useRef, useState } from "react";
import { Button } from "@/components/button";
import { Textarea } from "@/components/field";
import { Problem } from "@/components/layout";
import { Chips } from "@/features/orchestrator/chat/Chips";
import type { Outgoing } from "@/features/orchestrator/chat/sending";
import type { useUploads } from "@/features/orchestrator/files/uploads";
import { t } from "@/strings";

const words = t.chat.composer;

/** Where there is only glass, a field that takes the focus covers half of it with keys. */
const hasKeyboard = window.matchMedia("(pointer: fine)").matches;

interface Props {
  files: ReturnType<typeof useUploads>;
  /** Resolves when the message is accepted; what it rejects with is shown, and nothing of the draft is lost. */
  onSend: (message: Outgoing) => Promise<unknown>;
  /** Something is being answered and can be stopped. */
  onStop?: () => void;
  initial?: string;
  field: Ref<HTMLTextAreaElement>;
}

export function Composer({ files, onSend, onStop, initial = "", field }: Props) {
  const [text, setText] = useState(initial);
  const [sending, setSending] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const waiting = files.uploads.some((one) => !one.file && !one.error);
  const broken = files.uploads.some((one) => one.error);
  const ready = text.trim() !== "" && !waiting && !broken && !sending;

  const send = async () => {
    if (!ready) return;
    setSending(true);
    setError(null);
    try {
      await onSend({ text, files: files.uploads.flatMap((one) => one.file ?? []) });
      setText("");
      files.clear();
    } catch (problem) {
      setError(problem);
    } finally {
      setSending(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    files.add(event.clipboardData.files);
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2">
      {error !== null && <Problem error={error} />}
      <div className="rounded-xl border border-line-strong bg-surface p-2 focus-within:outline-2 focus-within:outline-accent">
        <Chips uploads={files.uploads} onRemove={files.remove} />
        <Textarea
          ref={field}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          placeholder={words.placeholder}
          aria-label={words.label}
          rows={1}
          autoFocus={hasKeyboard}
          className="field-sizing-content max-h-48 min-h-10 resize-none border-0 px-2 text-base focus-visible:outline-none sm:text-sm"
        />
        <div className="flex items-center gap-2">
          <Attach onFiles={files.add} />
          <p className="hidden flex-1 text-xs text-quiet sm:block">
            {waiting ? words.waitForFiles : broken ? words.brokenFiles : words.keys}
          </p>
          <span className="flex-1 sm:hidden" />
          {onStop && (
            <Button onClick={onStop}>
              <Square className="fill-current" aria-hidden />
              {words.stop}
            </Button>
          )}
          <Button look="primary" type="submit" busy={sending} disabled={!ready}>
            {!sending && <ArrowUp aria-hidden />}
            {words.send}
          </Button>
        </div>
      </div>
    </form>
  );
}

function Attach({ onFiles }: { onFiles: (files: FileList) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button look="quiet" size="icon" aria-label={words.attach} onClick={() => input.current?.click()}>
        <Paperclip aria-hidden />
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={words.attach}
        onChange={(event) => {
          if (event.target.files) onFiles(event.target.files);
          event.target.value = "";
        }}
      />
    </>
  );
}
