import { type FormEvent, useId, useState } from "react";
import type { Schemas } from "@/api/client";
import { Button } from "@/components/button";
import { Field, Input } from "@/components/field";
import { Problem } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { useConnect } from "@/features/orchestrator/models/queries";
import { t } from "@/strings";

const words = t.models;

export function ConnectForm({
  providers,
  onDone,
}: {
  providers: Schemas["ModelProvider"][];
  onDone: () => void;
}) {
  const { say } = useNotices();
  const connect = useConnect();
  const [id, setId] = useState(providers[0]?.id);
  const provider = providers.find((one) => one.id === id);
  if (!provider) return null;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const model = String(form.get("model"));
    connect.mutate(
      { provider: provider.id, model, base_url: given(form, "base_url"), api_key: given(form, "api_key") },
      {
        onSuccess: () => {
          say(words.saved(model));
          onDone();
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4" autoComplete="off">
      <Providers providers={providers} chosen={provider.id} onChoose={setId} />
      {/* What was typed for one provider is not another's. */}
      <div key={provider.id} className="flex flex-col gap-4">
        <ModelField suggestions={provider.suggestions} />
        {provider.needs_base_url && <BaseUrlField required />}
        <KeyField label={provider.needs_key ? words.key : words.keyOptional} required={provider.needs_key} />
      </div>
      {connect.isError && <Problem error={connect.error} />}
      <Button look="primary" type="submit" busy={connect.isPending} className="self-end">
        {t.save}
      </Button>
    </form>
  );
}

/** A field's text, or undefined when it was left empty. */
export function given(form: FormData, name: string): string | undefined {
  const value = form.get(name);
  return typeof value === "string" && value.trim() ? value.trim() : undefined;
}

function Providers({
  providers,
  chosen,
  onChoose,
}: {
  providers: Schemas["ModelProvider"][];
  chosen: Schemas["ModelProvider"]["id"];
  onChoose: (id: Schemas["ModelProvider"]["id"]) => void;
}) {
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1.5 text-sm font-medium">{words.provider}</legend>
      {providers.map((provider) => (
        <label
          key={provider.id}
          className="flex items-start gap-3 rounded-lg border px-3 py-2.5 text-sm hover:bg-raised has-checked:border-accent has-checked:bg-accent-soft"
        >
          <input
            type="radio"
            name="provider"
            value={provider.id}
            checked={provider.id === chosen}
            onChange={() => onChoose(provider.id)}
            className="mt-0.5 size-4 shrink-0 accent-accent"
          />
          <span className="min-w-0">
            <span className="block font-medium">{provider.title}</span>
            <span className="block text-xs text-quiet">
              {provider.needs_base_url ? words.providerText.address : words.providerText.key}
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function ModelField({ suggestions, value }: { suggestions: string[]; value?: string }) {
  const list = useId();
  return (
    <Field label={words.model} hint={suggestions.length > 0 ? words.modelSuggested : words.modelHint}>
      {(control) => (
        <>
          <Input
            name="model"
            list={list}
            required
            maxLength={200}
            placeholder={suggestions[0]}
            defaultValue={value}
            spellCheck={false}
            autoCapitalize="none"
            {...control}
          />
          <datalist id={list}>
            {suggestions.map((suggestion) => (
              <option key={suggestion} value={suggestion} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

export function BaseUrlField({ required, value }: { required: boolean; value?: string | null }) {
  return (
    <Field
      label={required ? words.baseUrl : words.baseUrlOptional}
      hint={required ? words.baseUrlHint : words.baseUrlOptionalHint}
    >
      {(control) => (
        <Input
          name="base_url"
          type="url"
          required={required}
          maxLength={2048}
          defaultValue={value ?? undefined}
          spellCheck={false}
          {...control}
        />
      )}
    </Field>
  );
}

/** A password field that browsers do not offer to remember as this site's. */
export function KeyField({ label, required, hint }: { label: string; required: boolean; hint?: string }) {
  return (
    <Field label={label} hint={hint ?? words.keyHint}>
      {(control) => (
        <Input
          name="api_key"
          type="password"
          required={required}
          autoComplete="new-password"
          maxLength={4096}
          {...control}
        />
      )}
    </Field>
  );
}
