import { Play } from "lucide-react";
import { type FormEvent, useMemo, useState } from "react";
import { Button } from "@/components/button";
import { Field, Textarea } from "@/components/field";
import { Control } from "@/features/registry/actions/Control";
import { type Entered, fieldsOf, firstEntries } from "@/features/registry/actions/fields";
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
  const [entered, setEntered] = useState<Record<string, Entered>>(() => firstEntries(fields ?? [], schema));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const enter = (name: string, value: Entered) => {
    setEntered((known) => ({ ...known, [name]: value }));
    setProblems(({ [name]: _, ...others }) => others);
  };
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const made = fields ? argumentsOf(fields, entered) : argumentsOfJson(String(entered[WHOLE] ?? ""));
    setProblems(made.problems);
    const [wrong] = Object.keys(made.problems);
    if (wrong === undefined) onArguments(made);
    else focusOn(event.currentTarget, wrong);
  };
  const mistakes = Object.keys(problems).length;
  return (
    <form noValidate aria-label={label} onSubmit={submit} className="flex flex-col gap-4">
      {fields?.length === 0 && <p className="text-sm text-quiet">{words.nothing}</p>}
      {fields?.map((field) => (
        <Control
          key={field.name}
          field={field}
          entered={entered[field.name] ?? ""}
          onEnter={(value) => enter(field.name, value)}
          problem={problems[field.name]}
        />
      ))}
      {!fields && (
        <Field label={words.arguments} hint={words.asJson} error={problems[WHOLE]}>
          {(control) => (
            <Textarea
              name={WHOLE}
              value={String(entered[WHOLE] ?? "{}")}
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
