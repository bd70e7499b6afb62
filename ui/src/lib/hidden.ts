/**
 * Characters that nobody sees and that change how a text reads, or what a program reads in it: bidirectional controls,
 * zero-width characters, tags. What scripts and emoji need between their own signs is left alone: joiners in Persian and
 * Indic words and in emoji, tags in flags, variation selectors.
 */
const joined = [
  "Arabic",
  "Devanagari",
  "Bengali",
  "Gurmukhi",
  "Gujarati",
  "Oriya",
  "Tamil",
  "Telugu",
  "Kannada",
]
  .concat("Malayalam", "Sinhala")
  .map((script) => `\\p{Script=${script}}`)
  .join("");
const parts = [
  "\\p{Bidi_Control}",
  "[\\u200B\\u2060-\\u2064\\u180E\\uFEFF]",
  `(?<![\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\uFE0F${joined}])[\\u200C\\u200D]`,
  "(?<!\\u{1F3F4}[\\u{E0020}-\\u{E007E}]{0,6})[\\u{E0000}-\\u{E007F}]",
  "(?<!\\p{Script=Han})[\\u{E0100}-\\u{E01EF}]",
];
const hidden = new RegExp(parts.join("|"), "gu");

export interface Piece {
  /** Where it stands in the text. */
  at: number;
  text: string;
  hidden: boolean;
}

function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The hidden characters of a text by name, each once: `["U+202E"]`. */
export function hiddenIn(text: string): string[] {
  return [...new Set(text.match(hidden) ?? [])].map(nameOf).sort();
}

/** The text with hidden characters written out, so that they do nothing in it. */
export function visible(text: string): string {
  return text.replace(hidden, (character) => `⟦${nameOf(character)}⟧`);
}

/** The text in pieces, hidden characters by their names; after `most` of them the rest is left as it is. */
export function pieces(text: string, most = 500): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(hidden)) {
    if (most === 0) break;
    most -= 1;
    if (match.index > end) found.push({ at: end, text: text.slice(end, match.index), hidden: false });
    found.push({ at: match.index, text: nameOf(match[0]), hidden: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ at: end, text: text.slice(end), hidden: false });
  return found;
}
