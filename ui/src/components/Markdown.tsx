import { CatchBoundary } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Skeleton } from "@/components/layout";
import type { Addresses } from "@/components/markdown/addresses";
import { isQuick } from "@/components/markdown/cost";

const Rendered = lazy(() => import("@/components/markdown/Rendered"));

interface Props extends Addresses {
  text: string;
}

/**
 * Markdown that others wrote: no HTML, no script, no picture from elsewhere, links that give nothing away. What would
 * take too long to be rendered is shown as it was written.
 */
export function Markdown({ text, ...addresses }: Props) {
  if (!isQuick(text)) return <AsWritten text={text} />;
  return (
    <CatchBoundary getResetKey={() => text} errorComponent={() => <AsWritten text={text} />}>
      <Suspense fallback={<Skeleton lines={5} />}>
        <Rendered text={text} {...addresses} />
      </Suspense>
    </CatchBoundary>
  );
}

function AsWritten({ text }: { text: string }) {
  return <pre className="font-mono text-sm break-words whitespace-pre-wrap [contain:paint]">{text}</pre>;
}
