/** What the addresses in a text of others become. Both get relative addresses only; nothing means there is no such thing. */
export interface Addresses {
  linkTo?: (address: string) => string | undefined;
  pictureAt?: (address: string) => string | undefined;
}

const ELSEWHERE = new Set(["http:", "https:", "mailto:"]);
// `//host` and its variants with backslashes lead to another origin.
const ANOTHER_HOST = /^[\s/\\]*[/\\][\s/\\]*[/\\]/;

function parsed(address: string): URL | null {
  return URL.canParse(address) ? new URL(address) : null;
}

function ours(address: string | undefined): string {
  return address?.startsWith("/") && !ANOTHER_HOST.test(address) ? address : "";
}

function relative(address: string): boolean {
  return !parsed(address) && !ANOTHER_HOST.test(address);
}

/** Where a link may lead: the web, an e-mail address, or a place of ours; otherwise nowhere (`""`). */
export function safeLink(address: string, linkTo?: Addresses["linkTo"]): string {
  const url = parsed(address);
  if (url) return ELSEWHERE.has(url.protocol) ? url.href : "";
  return relative(address) ? ours(linkTo?.(address)) : "";
}

/** Where a picture may come from: our own origin alone, so that looking at a text tells nobody. */
export function safePicture(address: string, pictureAt?: Addresses["pictureAt"]): string {
  return relative(address) ? ours(pictureAt?.(address)) : "";
}
