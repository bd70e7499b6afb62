import { type ReactNode, useState } from "react";
import type { Schemas } from "@/api/client";
import { useNotices } from "@/components/Notices";
import { ConnectionCard } from "@/features/orchestrator/models/ConnectionCard";
import { useChoose } from "@/features/orchestrator/models/queries";
import { t } from "@/strings";

const words = t.models;

/** The server's default and each connection, one of which answers. */
export function Choice({ overview, mayChange }: { overview: Schemas["ModelOverview"]; mayChange: boolean }) {
  const { say, fail } = useNotices();
  const choose = useChoose();
  const { connections, in_use, providers } = overview;
  // What was clicked counts while the server is being told; afterwards, what is in use.
  const [clicked, setClicked] = useState<string | null>();
  const chosen = clicked === undefined ? in_use.connection_id : clicked;
  const pick = (id: string | null, model: string) => {
    setClicked(id);
    choose.mutate(id, {
      onSuccess: () => say(id ? words.chose(model) : words.choseDefault),
      onError: fail,
      onSettled: () => setClicked(undefined),
    });
  };
  const radio = (id: string | null, model: string) => ({
    checked: chosen === id,
    disabled: !mayChange,
    onChange: () => pick(id, model),
  });
  return (
    <fieldset className="flex min-w-0 flex-col gap-3">
      <legend className="mb-1 text-base font-semibold">{words.choose}</legend>
      <p className="mb-1 text-sm text-quiet">{words.chooseHint}</p>
      {connections.map((connection) => (
        <ConnectionCard
          key={connection.id}
          connection={connection}
          provider={providers.find(({ id }) => id === connection.provider)}
          inUse={in_use.connection_id === connection.id}
          mayChange={mayChange}
        >
          <Radio {...radio(connection.id, connection.model)}>{connection.model}</Radio>
        </ConnectionCard>
      ))}
      <div className="rounded-xl border bg-surface p-4 sm:px-5">
        <Radio {...radio(null, words.serverDefault)}>{words.serverDefault}</Radio>
        <p className="mt-1 pl-7 text-xs text-quiet">{words.serverDefaultText}</p>
      </div>
    </fieldset>
  );
}

interface RadioProps {
  checked: boolean;
  disabled: boolean;
  onChange: () => void;
  children: ReactNode;
}

function Radio({ children, ...rest }: RadioProps) {
  return (
    <label className="flex min-w-0 items-center gap-3 font-medium">
      <input type="radio" name="model-in-use" className="size-4 shrink-0 accent-accent" {...rest} />
      <span className="min-w-0 break-words">{children}</span>
    </label>
  );
}
