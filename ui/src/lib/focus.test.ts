import { expect, it } from "vitest";
import { focusBack, focusPath } from "@/lib/focus";

it("goes back to where it was, or to what is next to it", () => {
  document.body.innerHTML = `<main><button>far</button><div><button id="a">a</button><button id="b">b</button></div></main>`;
  const [a, b] = ["a", "b"].map((id) => document.getElementById(id));
  a?.focus();
  const path = focusPath();
  b?.focus();
  focusBack(path);
  expect(document.activeElement).toBe(a);
  a?.remove();
  focusBack(path);
  expect(document.activeElement).toBe(b);
  b?.parentElement?.remove();
  focusBack(path);
  expect(document.activeElement?.textContent).toBe("far");
});
