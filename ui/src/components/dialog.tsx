import { X } from "lucide-react";
import { AlertDialog, Dialog as Radix } from "radix-ui";
import { type ReactNode, useRef, useState } from "react";
import { Button, buttonStyle } from "@/components/button";
import { cn } from "@/lib/cn";
import { focusBack, focusPath } from "@/lib/focus";
import { t } from "@/strings";

const shade = "fixed inset-0 z-40 bg-black/50";
const box =
  "fixed top-1/2 left-1/2 z-50 flex max-h-[90dvh] w-[calc(100vw-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 flex-col gap-4 overflow-y-auto rounded-xl border bg-surface p-5 shadow-xl sm:p-6";

/** The focus goes back to what opened a dialog, or near it when the dialog has made that disappear. */
function useFocusBack() {
  const path = useRef<HTMLElement[]>([]);
  return {
    onOpenAutoFocus: () => {
      path.current = focusPath();
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      focusBack(path.current);
    },
  };
}

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  className?: string;
  children: ReactNode;
}

export function Dialog({ open, onOpenChange, title, description, className, children }: Props) {
  const focus = useFocusBack();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={shade} />
        <Radix.Content
          className={cn(box, className)}
          {...focus}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className="flex items-start justify-between gap-4">
            <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
            <Radix.Close className={buttonStyle({ look: "quiet", size: "icon" })} aria-label={t.close}>
              <X aria-hidden />
            </Radix.Close>
          </div>
          {description && <Radix.Description className="text-sm text-quiet">{description}</Radix.Description>}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A question before something that cannot be undone. */
export function Confirm({
  title,
  description,
  action,
  onConfirm,
  children,
}: {
  title: string;
  description: ReactNode;
  action: string;
  onConfirm: () => unknown;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const [open, setOpen] = useState(false);
  const focus = useFocusBack();
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      setOpen(false);
    } finally {
      setBusy(false);
    }
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger asChild>{children}</AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className={shade} />
        <AlertDialog.Content className={box} {...focus}>
          <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description className="text-sm text-quiet">{description}</AlertDialog.Description>
          <div className="flex justify-end gap-2">
            <AlertDialog.Cancel className={buttonStyle({})}>{t.cancel}</AlertDialog.Cancel>
            <Button look="danger" busy={busy} onClick={confirm}>
              {action}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
