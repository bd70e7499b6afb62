import { Gauge, Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Schemas } from "@/api/client";
import { Button } from "@/components/button";
import { Confirm, Dialog } from "@/components/dialog";
import { Badge } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { ChangeForm } from "@/features/orchestrator/models/ChangeForm";
import { useDisconnect, useTest } from "@/features/orchestrator/models/queries";
import { TestResult } from "@/features/orchestrator/models/TestResult";
import { ago } from "@/lib/format";
import { t } from "@/strings";

const words = t.models;

interface Props {
  connection: Schemas["ModelConnection"];
  provider?: Schemas["ModelProvider"];
  inUse: boolean;
  mayChange: boolean;
  /** The radio button that chooses it. */
  children: ReactNode;
}

export function ConnectionCard({ connection, provider, inUse, mayChange, children }: Props) {
  const { base_url, key_hint, created_at, test } = connection;
  return (
    <div className="flex flex-col gap-3 rounded-xl border bg-surface p-4 sm:px-5">
      <div className="flex flex-wrap items-start justify-between gap-3 sm:flex-nowrap">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-2">
            {children}
            {inUse && <Badge tone="accent">{words.chosen}</Badge>}
          </div>
          <p className="mt-1 pl-7 text-xs break-words text-quiet">
            {[
              provider?.title ?? connection.provider,
              base_url,
              words.keyEnds(key_hint),
              words.added(ago(created_at)),
            ]
              .filter(Boolean)
              .join(" · ")}
          </p>
        </div>
        {mayChange && <Actions connection={connection} provider={provider} inUse={inUse} />}
      </div>
      <div className="sm:pl-7">
        <TestResult test={test} />
      </div>
    </div>
  );
}

function Actions({ connection, provider, inUse }: Omit<Props, "children" | "mayChange">) {
  const { fail, say } = useNotices();
  const [changing, setChanging] = useState(false);
  const test = useTest(connection.id);
  const disconnect = useDisconnect(connection.id);
  const { model } = connection;
  return (
    <div className="flex shrink-0 gap-1">
      <Button
        size="small"
        aria-label={words.test.of(model)}
        busy={test.isPending || connection.test?.status === "running"}
        onClick={() => test.mutate(undefined, { onError: fail })}
      >
        <Gauge aria-hidden />
        {words.test.action}
      </Button>
      <Button look="quiet" size="icon" aria-label={words.editOf(model)} onClick={() => setChanging(true)}>
        <Pencil aria-hidden />
      </Button>
      <Confirm
        title={words.removeTitle}
        description={words.removeText(model, inUse)}
        action={words.removeAction}
        onConfirm={() => disconnect.mutateAsync().catch(fail)}
      >
        <Button look="quiet" size="icon" aria-label={words.remove(model)}>
          <Trash2 aria-hidden />
        </Button>
      </Confirm>
      <Dialog open={changing} onOpenChange={setChanging} title={words.editTitle}>
        <ChangeForm
          connection={connection}
          provider={provider}
          onDone={() => {
            setChanging(false);
            say(words.changed);
          }}
        />
      </Dialog>
    </div>
  );
}
