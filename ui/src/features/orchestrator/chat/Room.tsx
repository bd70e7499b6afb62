import { type DragEvent, type ReactNode, type Ref, useRef, useState } from "react";
import { Composer } from "@/features/orchestrator/chat/Composer";
import type { Outgoing } from "@/features/orchestrator/chat/sending";
import { useUploads } from "@/features/orchestrator/files/uploads";
import { t } from "@/strings";

interface Props {
  onSend: (message: Outgoing) => Promise<unknown>;
  onStop?: () => void;
  initial?: string;
  field?: Ref<HTMLTextAreaElement>;
  /** What stands between the scrolled part and the composer. */
  above?: ReactNode;
  children: ReactNode;
}

const holdsFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");

/** A conversation with its composer; files may be dropped anywhere on it. */
export function Room({ onSend, onStop, initial, field, above, children }: Props) {
  const files = useUploads();
  const [dragged, setDragged] = useState(false);
  const own = useRef<HTMLTextAreaElement>(null);
  const input = field ?? own;
  const drop = (event: DragEvent) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    setDragged(false);
    files.add(event.dataTransfer.files);
  };
  const over = (event: DragEvent) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    setDragged(true);
  };
  const leave = (event: DragEvent) => {
    if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setDragged(false);
  };
  return (
    <section
      aria-label={t.chat.room}
      className="relative flex min-h-0 min-w-0 flex-1 flex-col"
      onDrop={drop}
      onDragOver={over}
      onDragLeave={leave}
    >
      {children}
      <div className="mx-auto w-full max-w-3xl px-4 pb-4">
        {above}
        <Composer files={files} onSend={onSend} onStop={onStop} initial={initial} field={input} />
      </div>
      {dragged && (
        <div className="pointer-events-none absolute inset-2 z-10 grid place-items-center rounded-xl border-2 border-dashed border-accent bg-accent-soft/90 text-lg font-medium text-accent">
          {t.chat.composer.dropHere}
        </div>
      )}
    </section>
  );
}
