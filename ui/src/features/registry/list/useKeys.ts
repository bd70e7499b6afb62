import { type RefObject, useEffect } from "react";

type Found<T> = RefObject<T | null>;
const EDITABLE = "input, textarea, select, [contenteditable], [role=dialog], [role=alertdialog]";
const STEPS: Record<string, 1 | -1> = { ArrowDown: 1, ArrowUp: -1 };

/** Typing anywhere goes to the search box; the arrow keys lead from it through the results and back. */
export function useKeys(box: Found<HTMLInputElement>, results: Found<HTMLElement>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const at = event.target instanceof Element ? event.target : document.body;
      const next = isPlain(event) ? goal(event.key, at, box.current, results.current) : undefined;
      if (next && STEPS[event.key]) event.preventDefault();
      next?.focus();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [box, results]);
}

function isPlain(event: KeyboardEvent): boolean {
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  return !event.defaultPrevented && !modified && !event.isComposing;
}

/** A space presses buttons and scrolls. */
function isPrintable(key: string): boolean {
  return [...key].length === 1 && key !== " ";
}

type Maybe = HTMLElement | null | undefined;

/** Where the focus goes; nowhere when the key is not ours. */
function goal(key: string, at: Element, box: Maybe, results: Maybe): Maybe {
  const step = STEPS[key];
  if (step) return neighbour(step, at, box, results);
  return isPrintable(key) && !at.closest(EDITABLE) ? box : undefined;
}

function neighbour(step: 1 | -1, from: Element, box: Maybe, results: Maybe): Maybe {
  const links = [...(results?.querySelectorAll<HTMLElement>("a") ?? [])];
  if (from === box) return step === 1 ? links[0] : undefined;
  const at = links.indexOf(from as HTMLElement);
  if (at < 0) return undefined;
  return at + step < 0 ? box : links[at + step];
}
