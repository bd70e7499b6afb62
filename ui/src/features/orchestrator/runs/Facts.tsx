import type { ReactNode } from "react";

/** One figure of a `<dl>`. */
export function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-quiet">{label}</dt>
      <dd className="break-words tabular-nums">{children}</dd>
    </div>
  );
}
