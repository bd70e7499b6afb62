import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, data, type Schemas } from "@/api/client";
import { Button } from "@/components/button";
import { CopyButton } from "@/components/CopyButton";
import { Confirm, Dialog } from "@/components/dialog";
import { Field, Input, Select } from "@/components/field";
import { Badge, Banner, Card, Empty, Problem, Skeleton } from "@/components/layout";
import { ago, day } from "@/lib/format";
import { t } from "@/strings";

const words = t.accounts.tokens;
const SCOPES = ["accounts", "registry", "orchestrator"].flatMap((area) => [`${area}:read`, `${area}:write`]);
const LIFETIMES = [7, 30, 90, 365];

const tokensQuery = queryOptions({
  queryKey: ["accounts", "tokens"],
  queryFn: () => data(api.GET("/api/v1/accounts/tokens")),
});

export function Tokens() {
  const tokens = useQuery(tokensQuery);
  const [making, setMaking] = useState(false);
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-sm text-quiet">{words.lead}</p>
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus aria-hidden />
          {words.make}
        </Button>
      </div>
      {tokens.isPending && <Skeleton />}
      {tokens.isError && <Problem error={tokens.error} onRetry={tokens.refetch} />}
      {tokens.data?.length === 0 && (
        <Empty icon={KeyRound} title={words.none}>
          {words.noneText}
        </Empty>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <ul className="flex flex-col gap-3">
          {tokens.data.map((token) => (
            <TokenCard key={token.id} token={token} />
          ))}
        </ul>
      )}
      <Dialog open={making} onOpenChange={setMaking} title={words.makeTitle}>
        <Make onDone={() => setMaking(false)} />
      </Dialog>
    </div>
  );
}

function TokenCard({ token }: { token: Schemas["AccessTokenView"] }) {
  const queries = useQueryClient();
  const remove = async () => {
    await data(
      api.DELETE("/api/v1/accounts/tokens/{token_id}", { params: { path: { token_id: token.id } } }),
    );
    await queries.invalidateQueries({ queryKey: tokensQuery.queryKey });
  };
  return (
    <li>
      <Card className="flex items-start justify-between gap-3">
        <div className="min-w-0">
          <p className="font-medium break-words">{token.name}</p>
          <p className="mt-1 flex flex-wrap gap-1">
            {token.scopes.map((scope) => (
              <Badge key={scope}>{scope}</Badge>
            ))}
          </p>
          <p className="mt-2 text-xs text-quiet">
            {token.last_used_at ? words.lastUsed(ago(token.last_used_at)) : words.unused}
            {token.expires_at && ` · ${words.expiresOn(day(token.expires_at))}`}
          </p>
        </div>
        <Confirm
          title={words.removeTitle}
          description={words.removeText(token.name)}
          action={t.remove}
          onConfirm={remove}
        >
          <Button look="quiet" size="icon" aria-label={words.remove(token.name)}>
            <Trash2 aria-hidden />
          </Button>
        </Confirm>
      </Card>
    </li>
  );
}

function Make({ onDone }: { onDone: () => void }) {
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: (body: Schemas["NewAccessToken"]) => data(api.POST("/api/v1/accounts/tokens", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const days = Number(form.get("days"));
    create.mutate({
      name: String(form.get("name")),
      scopes: form.getAll("scopes").map(String),
      expires_in_days: days || null,
    });
  };
  if (create.data) return <Made token={create.data.token} onDone={onDone} />;
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label={words.name} hint={words.nameHint}>
        {(control) => <Input name="name" required maxLength={200} {...control} />}
      </Field>
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1.5 text-sm font-medium">{words.scopes}</legend>
        <div className="grid grid-cols-2 gap-2">
          {SCOPES.map((scope) => (
            <label key={scope} className="flex items-center gap-2 text-sm">
              <input type="checkbox" name="scopes" value={scope} className="accent-accent" />
              {scope}
            </label>
          ))}
        </div>
      </fieldset>
      <Field label={words.expires}>
        {(control) => (
          <Select name="days" defaultValue="90" {...control}>
            {LIFETIMES.map((days) => (
              <option key={days} value={days}>
                {words.days(days)}
              </option>
            ))}
            <option value="0">{words.never}</option>
          </Select>
        )}
      </Field>
      {create.isError && <Problem error={create.error} />}
      <Button look="primary" type="submit" busy={create.isPending} className="self-end">
        {words.create}
      </Button>
    </form>
  );
}

function Made({ token, onDone }: { token: string; onDone: () => void }) {
  return (
    <div className="flex flex-col gap-4">
      <Banner>{words.shownOnce}</Banner>
      <code className="rounded-lg bg-raised p-3 font-mono text-sm break-all">{token}</code>
      <div className="flex justify-end gap-2">
        <CopyButton text={token} label={words.copyToken} />
        <Button look="primary" onClick={onDone}>
          {words.done}
        </Button>
      </div>
    </div>
  );
}
