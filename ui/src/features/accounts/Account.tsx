import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { api, data } from "@/api/client";
import { Button } from "@/components/button";
import { Confirm } from "@/components/dialog";
import { Field, Input } from "@/components/field";
import { Badge, Card, CardTitle, Problem } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { type Me, meQuery, rememberSession, useMe } from "@/features/accounts/me";
import { savedTheme, saveTheme, type Theme } from "@/lib/theme";
import { t } from "@/strings";

const words = t.accounts.account;

export function Account() {
  const me = useMe();
  return (
    <div className="flex flex-col gap-4">
      <Profile me={me} />
      <Password me={me} />
      {me.organisations.length > 1 && <Organisations me={me} />}
      <Appearance />
      <Sessions />
    </div>
  );
}

function Profile({ me }: { me: Me }) {
  const queries = useQueryClient();
  const { say } = useNotices();
  const rename = useMutation({
    mutationFn: (name: string) => data(api.PATCH("/api/v1/accounts/me", { body: { name } })),
    onSuccess: (changed) => {
      queries.setQueryData(meQuery.queryKey, changed);
      say(words.saved);
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    rename.mutate(String(new FormData(event.currentTarget).get("name")));
  };
  return (
    <Card>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <CardTitle>{words.profile}</CardTitle>
        <Field label={words.name}>
          {(control) => <Input name="name" defaultValue={me.name} required maxLength={200} {...control} />}
        </Field>
        <p className="text-sm wrap-anywhere text-quiet">
          {words.email}: <span className="text-ink">{me.email}</span>
        </p>
        {rename.isError && <Problem error={rename.error} />}
        <Button type="submit" busy={rename.isPending} className="self-start">
          {t.save}
        </Button>
      </form>
    </Card>
  );
}

function Password({ me }: { me: Me }) {
  const queries = useQueryClient();
  const { say } = useNotices();
  const change = useMutation({
    mutationFn: (body: { password: string; current_password?: string }) =>
      data(api.PUT("/api/v1/accounts/me/password", { body })),
    onSuccess: async () => {
      say(words.passwordSaved);
      await queries.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    const current = given.get("current");
    const body = {
      password: String(given.get("password")),
      ...(current ? { current_password: String(current) } : {}),
    };
    change.mutate(body, { onSuccess: () => form.reset() });
  };
  return (
    <Card>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <CardTitle>{words.password}</CardTitle>
        <p className="text-sm text-quiet">{me.has_password ? words.changePassword : words.setPassword}</p>
        {me.has_password && (
          <Field label={words.current}>
            {(control) => (
              <Input name="current" type="password" autoComplete="current-password" required {...control} />
            )}
          </Field>
        )}
        <Field label={words.fresh} hint={words.passwordHint}>
          {(control) => (
            <Input name="password" type="password" autoComplete="new-password" required {...control} />
          )}
        </Field>
        {change.isError && <Problem error={change.error} />}
        <Button type="submit" busy={change.isPending} className="self-start">
          {me.has_password ? words.change : words.set}
        </Button>
      </form>
    </Card>
  );
}

function Organisations({ me }: { me: Me }) {
  const { fail } = useNotices();
  const switchTo = useMutation({
    mutationFn: (organisation_id: string) =>
      data(api.POST("/api/v1/accounts/organisations/switch", { body: { organisation_id } })),
    // Nothing of one organisation may stay on the screen of another.
    onSuccess: () => window.location.assign("/"),
    onError: fail,
  });
  return (
    <Card className="flex flex-col gap-3">
      <CardTitle>{words.organisations}</CardTitle>
      <ul className="divide-y">
        {me.organisations.map((organisation) => (
          <li key={organisation.id} className="flex items-center justify-between gap-3 py-2">
            <div>
              <p className="text-sm font-medium">{organisation.name}</p>
              <p className="text-xs text-quiet">{words.role(organisation.role)}</p>
            </div>
            {organisation.id === me.organisation_id ? (
              <Badge tone="accent">{words.active}</Badge>
            ) : (
              <Button size="small" onClick={() => switchTo.mutate(organisation.id)}>
                {words.switch}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Appearance() {
  const [theme, setTheme] = useState<Theme>(savedTheme);
  const choose = (chosen: Theme) => {
    setTheme(chosen);
    saveTheme(chosen);
  };
  return (
    <Card>
      <fieldset className="flex flex-col gap-3">
        <legend className="mb-3 text-base font-semibold">{words.appearance}</legend>
        {(["system", "light", "dark"] as const).map((value) => (
          <label key={value} className="flex items-center gap-2 text-sm">
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme === value}
              onChange={() => choose(value)}
              className="accent-accent"
            />
            {t.theme[value]}
          </label>
        ))}
      </fieldset>
    </Card>
  );
}

function Sessions() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    queries.clear();
    rememberSession(false);
    await navigate({ to: "/sign-in" });
  };
  const signOut = async () => {
    await data(api.POST("/api/v1/accounts/sign-out", { body: {} }));
    await leave();
  };
  const everywhere = async () => {
    await data(api.POST("/api/v1/accounts/sign-out-everywhere"));
    await leave();
  };
  return (
    <Card className="flex flex-wrap items-center justify-between gap-3">
      <CardTitle>{words.sessions}</CardTitle>
      <div className="flex flex-wrap gap-2">
        <Button onClick={signOut}>{words.signOut}</Button>
        <Confirm
          title={words.everywhereTitle}
          description={words.everywhereText}
          action={words.everywhere}
          onConfirm={everywhere}
        >
          <Button look="danger">{words.everywhere}</Button>
        </Confirm>
      </div>
    </Card>
  );
}
