import { Play } from "lucide-react";
import { type FormEvent, useMemo, useState } from "react";
import { Button } from "@/components/button";
import { Field, Textarea } from "@/components/field";
import { Control } from "@/features/registry/actions/Control";
import { type Entered, type Entries, fieldsOf, firstEntries } from "@/features/registry/actions/fields";
import type { Schema } from "@/features/registry/actions/schema";
import { type Arguments, argumentsOf, argumentsOfJson } from "@/features/registry/actions/values";
import { t } from "@/strings";

const words = t.registry.form;
/** The one field of schemas that make no form. */
const WHOLE = "";

interface Props {
  label: string;
  schema: Schema;
  busy: boolean;
  again: boolean;
  onArguments: (made: Arguments) => void;
}

/** A form made from a JSON Schema; hands over what fits it as far as that can be told here. */
export function SchemaForm({ label, schema, busy, again, onArguments }: Props) {
  const fields = useMemo(() => fieldsOf(schema), [schema]);
  const [entered, setEntered] = useState<Entries>(() => firstEntries(fields ?? [], schema));
  const [problems, setProblems] = useState<ReadonlyMap<string, string>>(new Map());
  const enter = (name: string, value: Entered) => {
    setEntered((known) => new Map(known).set(name, value));
    setProblems((known) => new Map([...known].filter(([wrong]) => wrong !== name)));
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const made = fields ? argumentsOf(fields, entered) : argumentsOfJson(String(entered.get(WHOLE) ?? ""));
    setProblems(made.problems);
    const [wrong] = made.problems.keys();
    if (wrong === undefined) onArguments(made);
    else focusOn(event.currentTarget, wrong);
  };
  const mistakes = problems.size;
  return (
    <form noValidate aria-label={label} onSubmit={submit} className="flex flex-col gap-4">
      {fields?.length === 0 && <p className="text-sm text-quiet">{words.nothing}</p>}
      {fields?.map((field) => (
        <Control
          key={field.name}
          field={field}
          entered={entered.get(field.name) ?? ""}
          onEnter={(value) => enter(field.name, value)}
          problem={problems.get(field.name)}
        />
      ))}
      {!fields && (
        <Field label={words.arguments} hint={words.asJson} error={problems.get(WHOLE)}>
          {(control) => (
            <Textarea
              name={WHOLE}
              value={String(entered.get(WHOLE) ?? "{}")}
              onChange={(event) => enter(WHOLE, event.target.value)}
              spellCheck={false}
              className="font-mono"
              {...control}
            />
          )}
        </Field>
      )}
      <div className="flex flex-wrap items-center gap-3">
        <Button look="primary" type="submit" busy={busy}>
          {!busy && <Play aria-hidden />}
          {again ? words.runAgain : words.run}
        </Button>
        <p role="status" className="text-sm text-danger">
          {mistakes > 0 && words.mistakes(mistakes)}
        </p>
      </div>
    </form>
  );
}

function focusOn(form: HTMLFormElement, name: string): void {
  const controls = [...form.elements].filter((one) => one instanceof HTMLElement);
  controls.find((one) => one.getAttribute("name") === name)?.focus();
}
