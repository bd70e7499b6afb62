import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/button";
import { Field, Input } from "@/components/field";
import { Card, Problem, useTitle } from "@/components/layout";
import { Brand } from "@/components/Shell";
import { rememberSession } from "@/features/accounts/me";
import { t } from "@/strings";

const words = t.accounts.signIn;

/** Sign in by a one-time link (`?token=`) or by password; then go where one wanted to go. */
export function SignIn() {
  useTitle(words.title);
  const search = useSearch({ from: "/sign-in" });
  const [token] = useState(search.token);
  const enter = useEnter(search.next);
  useEffect(() => {
    // The token leaves the address, so that no history and no screenshot keeps it.
    if (token) window.history.replaceState(null, "", "/sign-in");
  }, [token]);
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="flex w-full max-w-sm flex-col gap-6">
        <Brand />
        <Card className="flex flex-col gap-4">
          <h1 className="text-xl font-semibold">{words.title}</h1>
          {token ? <ByLink token={token} onDone={enter} /> : <ByPassword onDone={enter} />}
        </Card>
      </div>
    </main>
  );
}

/** Only addresses of ours: `next` comes from the address bar. */
function useEnter(next: string | undefined): () => Promise<void> {
  const navigate = useNavigate();
  const queries = useQueryClient();
  return async () => {
    queries.clear();
    rememberSession(true);
    await navigate({ href: next?.startsWith("/") && !next.startsWith("//") ? next : "/", replace: true });
  };
}

function ByLink({ token, onDone }: { token: string; onDone: () => Promise<void> }) {
  const redeem = useMutation({
    mutationFn: () => data(api.POST("/api/v1/accounts/links/redeem", { body: { token } })),
    onSuccess: onDone,
  });
  return (
    <>
      <p className="text-sm text-quiet">{words.byLink}</p>
      {redeem.isError && <Problem error={redeem.error} />}
      <Button look="primary" busy={redeem.isPending} onClick={() => redeem.mutate()} autoFocus>
        {words.byLinkAction}
      </Button>
    </>
  );
}

function ByPassword({ onDone }: { onDone: () => Promise<void> }) {
  const signIn = useMutation({
    mutationFn: (body: { email: string; password: string }) =>
      data(api.POST("/api/v1/accounts/sign-in", { body })),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    signIn.mutate({ email: String(form.get("email")), password: String(form.get("password")) });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label={words.email}>
        {(control) => (
          <Input name="email" type="email" autoComplete="username" required autoFocus {...control} />
        )}
      </Field>
      <Field label={words.password}>
        {(control) => (
          <Input name="password" type="password" autoComplete="current-password" required {...control} />
        )}
      </Field>
      {signIn.isError && <Problem error={signIn.error} />}
      <Button look="primary" type="submit" busy={signIn.isPending}>
        {words.action}
      </Button>
      <p className="text-xs text-quiet">{words.noPassword}</p>
    </form>
  );
}
