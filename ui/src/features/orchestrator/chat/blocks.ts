const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const LIST_ITEM = /^ {0,3}([-*+]|\d{1,9}[.)])(\s|$)/;
const INDENTED = /^(\t| {2,})\S/;
/** Definitions of links and footnotes hold for the whole text: such a text is not taken apart. */
const DEFINITION = /^ {0,3}\[[^\]\n]+\]:/m;

/**
 * Markdown in pieces that can be read apart, at blank lines outside of code and lists. While a text grows only its last
 * piece changes, so that the others are read once.
 */
export function blocksOf(markdown: string): string[] {
  if (DEFINITION.test(markdown)) return [markdown];
  const blocks: string[][] = [[]];
  let fence: string | null = null;
  let blankBefore = false;
  for (const line of markdown.split("\n")) {
    const block = blocks.at(-1) as string[];
    if (fence === null && blankBefore && line.trim() !== "" && !continues(block, line)) blocks.push([line]);
    else block.push(line);
    fence = fenceAfter(fence, line);
    blankBefore = line.trim() === "";
  }
  return blocks.map((lines) => lines.join("\n")).filter((block) => block.trim() !== "");
}

/** After a blank line: another item of the same list, or more of its last one. */
function continues(block: string[], line: string): boolean {
  const first = block.find((one) => one.trim() !== "");
  if (first === undefined) return true;
  return LIST_ITEM.test(first) ? LIST_ITEM.test(line) || INDENTED.test(line) : INDENTED.test(line);
}

function fenceAfter(open: string | null, line: string): string | null {
  const mark = FENCE.exec(line)?.[1];
  if (!mark) return open;
  if (open === null) return mark;
  const closes = mark[0] === open[0] && mark.length >= open.length && line.trim() === mark;
  return closes ? null : open;
}
