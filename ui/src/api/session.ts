/**
 * The browser's session lives in cookies that no script can read. An access cookie lasts minutes; whoever meets a 401
 * renews it once, all requests of this page waiting for the same renewal, and asks again.
 */
const RENEW = "/api/v1/accounts/refresh";
const WITHOUT_SESSION = ["/links/redeem", "/sign-in", "/refresh", "/sign-out"].map(
  (path) => `/api/v1/accounts${path}`,
);

let renewal: Promise<boolean> | null = null;
let onSignedOut = () => {};

/** Called when the session has ended and cannot be renewed. */
export function whenSignedOut(handler: () => void): void {
  onSignedOut = handler;
}

export function renewSession(): Promise<boolean> {
  renewal ??= renew().finally(() => {
    renewal = null;
  });
  return renewal;
}

async function renew(): Promise<boolean> {
  const answer = await fetch(RENEW, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
  return answer.ok;
}

export async function fetchWithSession(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await fetch(request);
  if (answer.status !== 401 || WITHOUT_SESSION.includes(new URL(request.url).pathname)) return answer;
  if (await renewSession()) return fetch(again);
  onSignedOut();
  return answer;
}
