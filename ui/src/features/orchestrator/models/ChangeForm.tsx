import type { FormEvent } from "react";
import type { Schemas } from "@/api/client";
import { Button } from "@/components/button";
import { Problem } from "@/components/layout";
import { BaseUrlField, given, KeyField, ModelField } from "@/features/orchestrator/models/ConnectForm";
import { useChange } from "@/features/orchestrator/models/queries";
import { t } from "@/strings";

const words = t.models;

interface Props {
  connection: Schemas["ModelConnection"];
  provider?: Schemas["ModelProvider"];
  onDone: () => void;
}

/** Sends what was changed; an empty key field leaves the key as it is. */
export function ChangeForm({ connection, provider, onDone }: Props) {
  const change = useChange(connection.id);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const key = form.has("no_key") ? null : given(form, "api_key");
    const address = given(form, "base_url") ?? null;
    change.mutate(
      {
        model: given(form, "model"),
        ...(address !== connection.base_url && { base_url: address }),
        ...(key !== undefined && { api_key: key }),
      },
      { onSuccess: onDone },
    );
  };
  const hasAddress = provider?.needs_base_url || connection.base_url !== null;
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" autoComplete="off">
      <ModelField suggestions={provider?.suggestions ?? []} value={connection.model} />
      {hasAddress && (
        <BaseUrlField required={provider?.needs_base_url ?? false} value={connection.base_url} />
      )}
      <KeyField label={words.newKey} required={false} hint={words.newKeyHint(connection.key_hint)} />
      {connection.key_hint && !provider?.needs_key && (
        <label className="flex items-center gap-2 text-sm">
          <input type="checkbox" name="no_key" className="size-4 accent-accent" />
          {words.takeKeyAway}
        </label>
      )}
      {hasAddress && connection.key_hint && <p className="text-xs text-quiet">{words.keyStaysHere}</p>}
      {change.isError && <Problem error={change.error} />}
      <Button look="primary" type="submit" busy={change.isPending} className="self-end">
        {t.save}
      </Button>
    </form>
  );
}
