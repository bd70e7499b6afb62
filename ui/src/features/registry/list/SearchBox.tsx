import { Search } from "lucide-react";
import { type ChangeEvent, type RefObject, useEffect, useId, useRef, useState } from "react";
import { Input } from "@/components/field";
import { t } from "@/strings";

const words = t.registry.list;
const PAUSE_MS = 150;

interface Props {
  box: RefObject<HTMLInputElement | null>;
  query: string;
  /** Called with what was typed, after a short pause. */
  onQuery: (query: string) => void;
  onEnter: () => void;
}

export function SearchBox({ box, query, onQuery, onEnter }: Props) {
  const id = useId();
  const [typed, setTyped] = useState(query);
  const told = useRef(query);
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined);
  // The address may change by other ways than by typing: a link, going back.
  useEffect(() => {
    if (query === told.current) return;
    told.current = query;
    setTyped(query);
  }, [query]);
  useEffect(() => () => clearTimeout(pause.current), []);

  const tell = (text: string) => {
    clearTimeout(pause.current);
    told.current = text.trim();
    onQuery(told.current);
  };
  const change = (event: ChangeEvent<HTMLInputElement>) => {
    const text = event.target.value;
    setTyped(text);
    clearTimeout(pause.current);
    pause.current = setTimeout(() => tell(text), PAUSE_MS);
  };
  return (
    <search>
      <form
        className="relative"
        onSubmit={(event) => {
          event.preventDefault();
          tell(typed);
          onEnter();
        }}
      >
        <label htmlFor={id} className="sr-only">
          {words.search}
        </label>
        <Search className="pointer-events-none absolute top-3 left-3.5 size-5 text-quiet" aria-hidden />
        <Input
          ref={box}
          id={id}
          type="search"
          value={typed}
          onChange={change}
          placeholder={words.placeholder}
          aria-describedby={`${id}-hint`}
          autoComplete="off"
          spellCheck={false}
          maxLength={2000}
          className="min-h-11 pl-11 text-base"
        />
        <p id={`${id}-hint`} className="mt-1.5 text-xs text-quiet">
          {words.hint}
        </p>
      </form>
    </search>
  );
}
