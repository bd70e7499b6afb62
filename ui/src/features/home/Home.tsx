import { Link } from "@tanstack/react-router";
import { KeyRound } from "lucide-react";
import { buttonStyle } from "@/components/button";
import { Page } from "@/components/layout";
import { useMe } from "@/features/accounts/me";
import { House } from "@/features/home/House";
import { TryThese } from "@/features/home/TryThese";
import { t } from "@/strings";

const words = t.home;

export function Home() {
  const me = useMe();
  return (
    <Page title={words.hello(me.name)} lead={words.lead} wide>
      {!me.has_password && <SetPassword />}
      <TryThese />
      <House />
    </Page>
  );
}

function SetPassword() {
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 rounded-lg border bg-surface px-4 py-3 text-sm">
      <p className="flex min-w-0 items-center gap-2">
        <KeyRound className="size-4 shrink-0 text-warning" aria-hidden />
        {words.password.text}
      </p>
      <Link to="/settings/account" className={buttonStyle({ size: "small" })}>
        {words.password.action}
      </Link>
    </div>
  );
}
