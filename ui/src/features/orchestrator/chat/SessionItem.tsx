import { Link, useNavigate } from "@tanstack/react-router";
import { Pencil, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/button";
import { Confirm, Dialog } from "@/components/dialog";
import { Field, Input } from "@/components/field";
import { Problem } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { type Session, useSessionChanges } from "@/features/orchestrator/chat/sessions";
import { cn } from "@/lib/cn";
import { t } from "@/strings";

const words = t.chat.sessions;

interface Props {
  session: Session;
  active: boolean;
  onGo?: () => void;
}

export function SessionItem({ session, active, onGo }: Props) {
  const title = session.title || t.chat.untitled;
  return (
    <li
      className={cn(
        "group flex items-center rounded-lg pr-1 hover:bg-raised focus-within:bg-raised",
        active && "bg-accent-soft hover:bg-accent-soft",
      )}
    >
      <Link
        to="/chat/$sessionId"
        params={{ sessionId: session.id }}
        onClick={onGo}
        title={title}
        className="min-w-0 flex-1 truncate px-2 py-1.5 text-sm aria-[current=page]:font-medium aria-[current=page]:text-accent"
      >
        {title}
      </Link>
      <span
        className={cn(
          "flex shrink-0",
          !active &&
            "pointer-fine:sr-only pointer-fine:group-focus-within:not-sr-only pointer-fine:group-hover:not-sr-only",
        )}
      >
        <Rename session={session} title={title} />
        <Remove session={session} title={title} active={active} />
      </span>
    </li>
  );
}

function Rename({ session, title }: { session: Session; title: string }) {
  const [open, setOpen] = useState(false);
  const { rename } = useSessionChanges();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fresh = String(new FormData(event.currentTarget).get("title")).trim();
    rename.mutate({ id: session.id, title: fresh }, { onSuccess: () => setOpen(false) });
  };
  return (
    <>
      <Button
        look="quiet"
        size="icon"
        className="size-7"
        aria-label={words.rename(title)}
        onClick={() => setOpen(true)}
      >
        <Pencil aria-hidden />
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title={words.renameTitle}>
        <form onSubmit={submit} className="flex flex-col gap-4">
          <Field label={words.name}>
            {(control) => (
              <Input
                name="title"
                required
                pattern=".*\S.*"
                maxLength={200}
                defaultValue={session.title}
                autoFocus
                {...control}
              />
            )}
          </Field>
          {rename.isError && <Problem error={rename.error} />}
          <Button look="primary" type="submit" busy={rename.isPending} className="self-end">
            {t.save}
          </Button>
        </form>
      </Dialog>
    </>
  );
}

function Remove({ session, title, active }: { session: Session; title: string; active: boolean }) {
  const { remove } = useSessionChanges();
  const { say, fail } = useNotices();
  const navigate = useNavigate();
  const confirmed = async () => {
    try {
      await remove.mutateAsync(session.id);
      say(words.removed);
      if (active) await navigate({ to: "/chat" });
    } catch (error) {
      fail(error);
    }
  };
  return (
    <Confirm
      title={words.removeTitle}
      description={words.removeText(title)}
      action={words.removeAction}
      onConfirm={confirmed}
    >
      <Button look="quiet" size="icon" className="size-7" aria-label={words.remove(title)}>
        <Trash2 aria-hidden />
      </Button>
    </Confirm>
  );
}
