import type { Element, Root, RootContent } from "hast";

const HEADING = /^h([1-6])$/;
const FIRST = 2;

/** Puts the headings of a text in order below the page's own: none is left out on the way down. */
export function orderedHeadings() {
  return (root: Root) => {
    let last = FIRST - 1;
    const visit = (node: RootContent) => {
      if (node.type !== "element") return;
      const found = HEADING.exec(node.tagName);
      if (found) last = renumber(node, Number(found[1]), last);
      for (const child of node.children) visit(child);
    };
    for (const child of root.children) visit(child);
  };
}

function renumber(heading: Element, written: number, last: number): number {
  const level = Math.min(FIRST + written - 1, last + 1, 6);
  heading.tagName = `h${level}`;
  return level;
}
