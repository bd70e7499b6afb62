import { type RefObject, useEffect } from "react";

type Found<T> = RefObject<T | null>;
const EDITABLE = "input, textarea, select, [contenteditable], [role=dialog], [role=alertdialog]";
const STEPS: Record<string, 1 | -1> = { ArrowDown: 1, ArrowUp: -1 };

/** Typing anywhere goes to the search box; the arrow keys lead from it through the results and back. */
export function useKeys(box: Found<HTMLInputElement>, results: Found<HTMLElement>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!isPlain(event)) return;
      const at = event.target instanceof Element ? event.target : document.body;
      const step = STEPS[event.key];
      if (step) {
        const next = neighbour(step, at, box.current, results.current);
        if (next) event.preventDefault();
        next?.focus();
      } else if (isPrintable(event.key) && !at.closest(EDITABLE)) box.current?.focus();
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

function neighbour(step: 1 | -1, from: Element, box: HTMLElement | null, results: HTMLElement | null) {
  const links = [...(results?.querySelectorAll<HTMLElement>("a") ?? [])];
  if (from === box) return step === 1 ? links[0] : undefined;
  const at = links.findIndex((link) => link === from);
  if (at < 0) return undefined;
  return at + step < 0 ? box : links[at + step];
}
