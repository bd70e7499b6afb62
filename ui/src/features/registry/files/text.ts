/** What is shown of a file's content. */
export type Shown = { kind: "text"; text: string; lines: number } | { kind: "binary" };

/** The content as text, when it is text. */
export async function shownOf(content: Blob): Promise<Shown> {
  const bytes = new Uint8Array(await content.arrayBuffer());
  if (bytes.includes(0)) return { kind: "binary" };
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r\n?/g, "\n");
    return { kind: "text", text, lines: linesIn(text) };
  } catch {
    return { kind: "binary" };
  }
}

/** A line feed ends a line; none follows the last one. */
function linesIn(text: string): number {
  return text === "" ? 0 : text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
