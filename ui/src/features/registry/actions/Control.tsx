import { Field, Input, Select, Textarea } from "@/components/field";
import { TextByOthers } from "@/components/HiddenCharacters";
import { FileControl } from "@/features/registry/actions/FileControl";
import type {
  ChoiceField,
  Entered,
  FlagField,
  Field as FormField,
  TextField,
} from "@/features/registry/actions/fields";
import { t } from "@/strings";

const words = t.registry.form;
const LONG = 200;

interface Props<F extends FormField = FormField> {
  field: F;
  entered: Entered;
  onEnter: (entered: Entered) => void;
  problem?: string;
}

type Named = { id: string; name: string; "aria-describedby"?: string; "aria-invalid"?: true };

/** One field of a form, whatever its kind. */
export function Control(props: Props) {
  const { field, problem } = props;
  const label = field.required ? field.name : `${field.name} (${words.optional})`;
  const hint = [field.description, hintOf(field)].filter(Boolean).join(" ");
  return (
    <Field label={label} hint={hint && <TextByOthers text={hint} />} error={problem}>
      {(control) => <Choose {...props} control={{ ...control, name: field.name }} />}
    </Field>
  );
}

function hintOf(field: FormField): string {
  if (field.kind === "list") return words.onePerLine;
  return field.kind === "json" ? words.asJson : "";
}

function Choose({ field, entered, onEnter, control }: Props & { control: Named }) {
  switch (field.kind) {
    case "file":
      return (
        <FileControl
          field={field}
          files={Array.isArray(entered) ? entered : []}
          onFiles={onEnter}
          control={control}
        />
      );
    case "flag":
      return <Flag field={field} entered={entered} onEnter={onEnter} control={control} />;
    case "choice":
      return <Choice field={field} entered={entered} onEnter={onEnter} control={control} />;
    case "list":
    case "json":
      return <Several entered={entered} onEnter={onEnter} control={control} mono={field.kind === "json"} />;
    case "number":
      return <Line type="text" entered={entered} onEnter={onEnter} control={control} numeric />;
    default:
      return isLong(field) ? (
        <Several entered={entered} onEnter={onEnter} control={control} />
      ) : (
        <Line
          type={inputTypes[field.format] ?? "text"}
          entered={entered}
          onEnter={onEnter}
          control={control}
        />
      );
  }
}

const inputTypes: Record<string, string> = { date: "date", email: "email" };
const isLong = (field: TextField) => (field.maxLength ?? 0) > LONG;

type Written = Pick<Props, "entered" | "onEnter"> & { control: Named };

function Line({ type, numeric, entered, onEnter, control }: Written & { type: string; numeric?: boolean }) {
  return (
    <Input
      type={type}
      inputMode={numeric ? "decimal" : undefined}
      value={String(entered)}
      onChange={(event) => onEnter(event.target.value)}
      autoComplete="off"
      {...control}
    />
  );
}

function Several({ entered, onEnter, control, mono }: Written & { mono?: boolean }) {
  return (
    <Textarea
      value={String(entered)}
      onChange={(event) => onEnter(event.target.value)}
      spellCheck={!mono}
      className={mono ? "font-mono" : undefined}
      {...control}
    />
  );
}

function Flag({ field, entered, onEnter, control }: Written & { field: FlagField }) {
  if (!field.optional) {
    return (
      <input
        type="checkbox"
        checked={entered === true}
        onChange={(event) => onEnter(event.target.checked)}
        className="size-4 self-start accent-accent"
        {...control}
      />
    );
  }
  return (
    <Select value={String(entered)} onChange={(event) => onEnter(event.target.value)} {...control}>
      <option value="">{words.notSet}</option>
      <option value="true">{words.yes}</option>
      <option value="false">{words.no}</option>
    </Select>
  );
}

function Choice({ field, entered, onEnter, control }: Written & { field: ChoiceField }) {
  return (
    <Select value={String(entered)} onChange={(event) => onEnter(event.target.value)} {...control}>
      <option value="">{field.required ? words.choose : words.notSet}</option>
      {field.options.map((option, index) => (
        <option key={JSON.stringify(option)} value={index}>
          {typeof option === "string" ? option : JSON.stringify(option)}
        </option>
      ))}
    </Select>
  );
}
