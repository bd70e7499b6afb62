import { getRouteApi } from "@tanstack/react-router";
import { type RefObject, useRef } from "react";
import { Button } from "@/components/button";
import { Page, Problem, Skeleton } from "@/components/layout";
import { type Entry, fits } from "@/features/registry/list/entries";
import { Nothing } from "@/features/registry/list/Nothing";
import { SearchBox } from "@/features/registry/list/SearchBox";
import { SkillCard } from "@/features/registry/list/SkillCard";
import { useEntries } from "@/features/registry/list/useEntries";
import { useKeys } from "@/features/registry/list/useKeys";
import { t } from "@/strings";

const words = t.registry.list;
/** Of what does not fit, no more than these. */
const NEAREST = 4;
const route = getRouteApi("/inside/skills");

export function Skills() {
  const { query = "", installed = false } = route.useSearch();
  const navigate = route.useNavigate();
  const box = useRef<HTMLInputElement>(null);
  const results = useRef<HTMLElement>(null);
  useKeys(box, results);
  const show = (search: { query?: string; installed?: true }) =>
    void navigate({ search, replace: true, resetScroll: false });
  return (
    <Page wide title={t.registry.title} lead={t.registry.lead}>
      <div className="flex flex-col gap-4">
        <SearchBox
          box={box}
          query={query}
          onQuery={(text) => show({ query: text || undefined, installed: installed || undefined })}
          onEnter={() => results.current?.querySelector<HTMLElement>("a")?.focus()}
        />
        <Filter
          installed={installed}
          onChoose={(only) => show({ query: query || undefined, installed: only || undefined })}
        />
      </div>
      <Results query={query} installed={installed} list={results} />
    </Page>
  );
}

function Filter({ installed, onChoose }: { installed: boolean; onChoose: (installed: boolean) => void }) {
  return (
    <fieldset className="flex flex-wrap gap-2">
      <legend className="sr-only">{words.show}</legend>
      {[false, true].map((only) => (
        <label
          key={String(only)}
          className="cursor-pointer rounded-full border px-3.5 py-1 text-sm font-medium text-quiet hover:bg-raised has-checked:border-accent has-checked:bg-accent-soft has-checked:text-accent has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name="show"
            className="sr-only"
            checked={installed === only}
            onChange={() => onChoose(only)}
          />
          {only ? words.installed : words.all}
        </label>
      ))}
    </fieldset>
  );
}

interface Asked {
  query: string;
  installed: boolean;
  list: RefObject<HTMLElement | null>;
}

function Results({ query, installed, list }: Asked) {
  const { entries, error, retry, more, fetchingMore, stale } = useEntries(query, installed);
  if (error) return <Problem error={error} onRetry={retry} />;
  if (!entries) return <Skeleton lines={5} />;
  const fitting = entries.filter(fits);
  return (
    <section ref={list} aria-label={words.results} aria-busy={stale} className="flex flex-col gap-3">
      <p role="status" className="text-sm wrap-anywhere text-quiet empty:hidden">
        {fitting.length > 0 && !more && !stale && found(fitting.length, query)}
      </p>
      {fitting.length > 0 ? <Cards entries={fitting} /> : <Nothing query={query} installed={installed} />}
      {fitting.length === 0 && entries.length > 0 && (
        <>
          <p className="mt-3 text-sm text-quiet">{words.empty.nearest}</p>
          <Cards entries={entries.slice(0, NEAREST)} />
        </>
      )}
      {more && (
        <Button onClick={more} busy={fetchingMore} className="self-center">
          {words.more}
        </Button>
      )}
    </section>
  );
}

function found(number: number, query: string): string {
  return query ? words.foundFor(number, query) : words.found(number);
}

function Cards({ entries }: { entries: Entry[] }) {
  return (
    <ul className="grid grid-cols-1 gap-3 lg:grid-cols-2">
      {entries.map((entry) => (
        <SkillCard key={entry.ref} entry={entry} />
      ))}
    </ul>
  );
}
