import { Link, Outlet } from "@tanstack/react-router";
import { Page } from "@/components/layout";
import { t } from "@/strings";

const words = t.accounts.settings;
const tabs = [
  { to: "/settings/account", label: words.account },
  { to: "/settings/models", label: words.models },
  { to: "/settings/tokens", label: words.tokens },
];

export function Settings() {
  return (
    <Page title={words.title}>
      <nav aria-label={words.label} className="flex gap-1 overflow-x-auto border-b">
        {tabs.map(({ to, label }) => (
          <Link
            key={to}
            to={to}
            className="-mb-px border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-quiet hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-accent"
          >
            {label}
          </Link>
        ))}
      </nav>
      <Outlet />
    </Page>
  );
}
