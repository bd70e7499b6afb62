import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

/** What scrolls has to be reachable without a mouse: then the arrow keys move it. */
const reachable = { tabIndex: 0 };

export function Scrolled({
  label,
  className,
  children,
}: {
  label: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <fieldset {...reachable} aria-label={label} className={cn("relative min-w-0 overflow-auto", className)}>
      {children}
    </fieldset>
  );
}
