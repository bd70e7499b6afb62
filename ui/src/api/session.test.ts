import { afterEach, expect, test, vi } from "vitest";
import { fetchWithSession, whenSignedOut } from "@/api/session";

const asked: string[] = [];

function server(answers: Record<string, number[]>): void {
  vi.stubGlobal("fetch", async (input: Request | string) => {
    const path = new URL(typeof input === "string" ? input : input.url, "http://rf.test").pathname;
    asked.push(path);
    return new Response("{}", { status: answers[path]?.shift() ?? 200 });
  });
}

afterEach(() => {
  asked.length = 0;
  vi.unstubAllGlobals();
});

const get = (path: string) => fetchWithSession(new Request(`http://rf.test${path}`));

test("several requests that meet a 401 renew the session once and ask again", async () => {
  server({ "/a": [401], "/b": [401] });
  const answers = await Promise.all([get("/a"), get("/b")]);
  expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
  expect(asked.filter((path) => path.endsWith("/refresh"))).toHaveLength(1);
});

test("a session that cannot be renewed has ended", async () => {
  server({ "/a": [401], "/api/v1/accounts/refresh": [401] });
  const ended = vi.fn();
  whenSignedOut(ended);
  expect((await get("/a")).status).toBe(401);
  expect(ended).toHaveBeenCalledOnce();
});

test("a wrong password is no reason to renew", async () => {
  server({ "/api/v1/accounts/sign-in": [401] });
  await get("/api/v1/accounts/sign-in");
  expect(asked).toEqual(["/api/v1/accounts/sign-in"]);
});
