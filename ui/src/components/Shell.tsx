import { Link, Outlet } from "@tanstack/react-router";
import {
  House,
  ListChecks,
  type LucideIcon,
  Menu,
  MessageSquare,
  Package,
  Settings,
  Zap,
} from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { Dialog } from "@/components/dialog";
import { t } from "@/strings";

const places: { to: string; label: string; icon: LucideIcon }[] = [
  { to: "/", label: t.nav.home, icon: House },
  { to: "/chat", label: t.nav.chat, icon: MessageSquare },
  { to: "/skills", label: t.nav.skills, icon: Package },
  { to: "/runs", label: t.nav.runs, icon: ListChecks },
  { to: "/settings", label: t.nav.settings, icon: Settings },
];

/** The frame of every page: the navigation beside it, or behind a button where there is little room. */
export function Shell() {
  const [open, setOpen] = useState(false);
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a
        href="#content"
        className="sr-only z-50 rounded-lg bg-surface px-3 py-2 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {t.skipToContent}
      </a>
      <header className="flex h-14 items-center justify-between border-b bg-surface px-4 md:hidden">
        <Brand />
        <Button look="quiet" size="icon" aria-label={t.menu} onClick={() => setOpen(true)}>
          <Menu aria-hidden />
        </Button>
        <Dialog open={open} onOpenChange={setOpen} title={t.menu}>
          <Places onGo={() => setOpen(false)} />
        </Dialog>
      </header>
      <aside className="sticky top-0 hidden h-dvh w-52 shrink-0 flex-col gap-6 border-r bg-surface px-3 py-5 md:flex">
        <div className="px-2">
          <Brand />
        </div>
        <Places />
      </aside>
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 outline-none">
        <Outlet />
      </main>
    </div>
  );
}

export function Brand() {
  return (
    <Link to="/" className="flex items-center gap-2 text-base font-semibold tracking-tight">
      <span className="grid size-7 place-items-center rounded-lg bg-accent text-on-accent">
        <Zap className="size-4" aria-hidden />
      </span>
      {t.product}
    </Link>
  );
}

function Places({ onGo }: { onGo?: () => void }) {
  return (
    <nav aria-label={t.nav.label} className="flex flex-col gap-1">
      {places.map(({ to, label, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          onClick={onGo}
          activeOptions={{ exact: to === "/" }}
          className="flex items-center gap-3 rounded-lg px-3 py-2 text-sm font-medium text-quiet hover:bg-raised hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent"
        >
          <Icon className="size-4" aria-hidden />
          {label}
        </Link>
      ))}
    </nav>
  );
}
