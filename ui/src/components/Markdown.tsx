import { CatchBoundary } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { Skeleton } from "@/components/layout";
import type { Addresses } from "@/components/markdown/addresses";

const Rendered = lazy(() => import("@/components/markdown/Rendered"));

// Reading Markdown can take more than linear time; nobody reads more than this on a page.
const MOST_CHARACTERS = 200_000;

interface Props extends Addresses {
  text: string;
}

/**
 * Markdown that others wrote: no HTML, no script, no picture from elsewhere, links that give nothing away. What is too
 * long or too deep to be rendered is shown as it was written.
 */
export function Markdown({ text, ...addresses }: Props) {
  if (text.length > MOST_CHARACTERS) return <AsWritten text={text} />;
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
