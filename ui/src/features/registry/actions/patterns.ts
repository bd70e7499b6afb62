/**
 * Patterns that others wrote, tried on what a person types. A pattern can be made so that trying it takes for ever, which
 * would stop the page; only those that cannot are tried here, and the server judges the rest.
 */
const [LONGEST_PATTERN, LONGEST_TEXT] = [200, 500];
// Something repeated within something repeated, or a look back at what was found.
const RISKY = /\)\s*[*+{]|\\[1-9k]|\(\?<?[=!]/;
const VARIABLE = /[*+]|\{\d+,\d*\}/g;

/** Whether the text fits the pattern; undefined when that is for the server to say. */
export function fits(pattern: string, text: string): boolean | undefined {
  if (text.length > LONGEST_TEXT || !isQuick(pattern)) return undefined;
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return undefined;
  }
}

function isQuick(pattern: string): boolean {
  if (pattern.length > LONGEST_PATTERN) return false;
  const bare = pattern.replace(/\\[^1-9k]/g, "_").replace(/\[[^\]]*\]/g, "_");
  if (RISKY.test(bare)) return false;
  const anchored = bare.startsWith("^") && !bare.includes("|");
  return (bare.match(VARIABLE) ?? []).length <= (anchored ? 3 : 2);
}
