const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled), select, textarea, [tabindex]";

/** What has the focus now and all that it stands in, the nearest first. */
export function focusPath(): HTMLElement[] {
  const path: HTMLElement[] = [];
  let at = document.activeElement;
  while (at instanceof HTMLElement && at !== document.body) {
    path.push(at);
    at = at.parentElement;
  }
  return path;
}

/** Gives the focus back to where it was; when that is gone, to the nearest thing that can have it. */
export function focusBack(path: HTMLElement[]): void {
  const there = path.filter((element) => element.isConnected);
  const goals = there.map((element) => (element === path[0] ? element : element.querySelector(FOCUSABLE)));
  const goal = goals.find((element) => element instanceof HTMLElement);
  goal?.focus();
}
