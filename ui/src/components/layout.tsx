import { type LucideIcon, TriangleAlert } from "lucide-react";
import { type ComponentProps, type ReactNode, useEffect } from "react";
import { asProblem } from "@/api/problem";
import { Button } from "@/components/button";
import { cn } from "@/lib/cn";
import { t } from "@/strings";

/** A page's frame: its title in the window and as the one heading, what it is for, and what can be done. */
export function Page({
  above,
  title,
  badges,
  lead,
  actions,
  wide,
  children,
}: {
  /** Where the page stands, before its title. */
  above?: ReactNode;
  title: string;
  badges?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  useTitle(title);
  return (
    <div
      className={cn(
        "mx-auto flex w-full flex-col gap-6 px-4 py-6 sm:px-8 sm:py-8",
        wide ? "max-w-6xl" : "max-w-4xl",
      )}
    >
      <header className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          {above}
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="min-w-0 text-2xl font-semibold tracking-tight break-words">{title}</h1>
            {badges}
          </div>
          {lead && <div className="mt-1 text-sm text-quiet">{lead}</div>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${t.product}`;
  }, [title]);
}

export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section className={cn("rounded-xl border bg-surface p-4 sm:p-5", className)} {...rest} />;
}

export function CardTitle({ className, ...rest }: ComponentProps<"h2">) {
  return <h2 className={cn("text-base font-semibold", className)} {...rest} />;
}

type Tone = "neutral" | "accent" | "success" | "warning" | "danger";
const tones: Record<Tone, string> = {
  neutral: "bg-raised text-quiet",
  accent: "bg-accent-soft text-accent",
  success: "bg-success-soft text-success",
  warning: "bg-warning-soft text-warning",
  danger: "bg-danger-soft text-danger",
};

export function Badge({ tone = "neutral", className, ...rest }: ComponentProps<"span"> & { tone?: Tone }) {
  return (
    <span
      className={cn(
        "inline-flex items-center gap-1 rounded-full px-2 py-0.5 text-xs font-medium",
        tones[tone],
        className,
      )}
      {...rest}
    />
  );
}

/** Something to know before going on. */
export function Banner({ tone = "warning", children }: { tone?: Tone; children: ReactNode }) {
  return <div className={cn("rounded-lg px-4 py-3 text-sm", tones[tone])}>{children}</div>;
}

export function Empty({
  icon: Icon,
  title,
  children,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-xl border border-dashed px-6 py-12 text-center">
      <Icon className="size-8 text-quiet" aria-hidden />
      <p className="font-medium">{title}</p>
      {children && <div className="max-w-md text-sm text-quiet">{children}</div>}
    </div>
  );
}

const lineWidths = ["w-full", "w-4/5", "w-11/12", "w-3/5", "w-2/3"];

/** Where text will be; `lines` up to five. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  return (
    <div role="status" aria-label={t.loading} className="flex flex-col gap-3">
      {lineWidths.slice(0, lines).map((width) => (
        <div key={width} className={cn("h-4 animate-pulse rounded bg-raised", width)} />
      ))}
    </div>
  );
}

/** What went wrong, what to do about it, and a way to try again. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asProblem(error);
  return (
    <div role="alert" className="flex items-start gap-3 rounded-lg bg-danger-soft px-4 py-3 text-sm">
      <TriangleAlert className="mt-0.5 size-4 shrink-0 text-danger" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words text-danger">{problem.message}</p>
        {problem.hint && <p className="mt-0.5 break-words text-ink">{problem.hint}</p>}
        {problem.requestId && <p className="mt-1 text-xs text-quiet">{t.requestId(problem.requestId)}</p>}
      </div>
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          {t.tryAgain}
        </Button>
      )}
    </div>
  );
}
