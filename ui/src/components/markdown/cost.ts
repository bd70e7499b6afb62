/**
 * How long reading a Markdown text may take. Within a paragraph it grows with the square of the signs that could begin
 * or end something, so that a text of a few kilobytes can be made to stop a page for minutes; and every line can open as
 * many quotes and lists as it is long. The limits keep hostile texts to a second or two, and are far above what people
 * write: the format's specification advises at most 500 lines.
 */
const SIGNS = /[*_~[\]`|<>!]/g;
const OPENERS = /^(?:\s|[>*+-]|\d+[.)])*/;
const OPENER = /[>*+-]|\d+/g;
const BLANK_LINE = /\n[^\S\n]*\n/;
const [MOST_CHARACTERS, MOST_LINES, MOST_WORK, MOST_OPENED] = [60_000, 2_000, 1e7, 5_000];
const DEEPEST = 60;

export function isQuick(text: string): boolean {
  if (text.length > MOST_CHARACTERS) return false;
  const opened = text.split("\n").map((line) => OPENERS.exec(line)?.[0].match(OPENER)?.length ?? 0);
  if (opened.length > MOST_LINES || sum(opened) > MOST_OPENED || Math.max(...opened) > DEEPEST) return false;
  const paragraphs = text.split(BLANK_LINE);
  return sum(paragraphs.map((paragraph) => (paragraph.match(SIGNS)?.length ?? 0) ** 2)) <= MOST_WORK;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
