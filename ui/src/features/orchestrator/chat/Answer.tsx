import { CatchBoundary } from "@tanstack/react-router";
import { lazy, memo, Suspense } from "react";
import remend from "remend";
import { blocksOf } from "@/features/orchestrator/chat/blocks";

// Asked for with the page, so that it is there before the first answer.
const loading = import("@/components/markdown/Rendered");
const Rendered = lazy(() => loading);

/** Pictures of ours that a text may show: files of the session. */
const pictureAt = (address: string) =>
  address.startsWith("/api/v1/orchestrator/files/") ? address : undefined;
const linkTo = (address: string) => (address.startsWith("/") ? address : undefined);

/** Text of a model, in Markdown. While it is written, the last piece of it is closed for the eye. */
export function Answer({ text, open }: { text: string; open: boolean }) {
  const blocks = blocksOf(text).map((block, place) => ({ block, key: String(place) }));
  return (
    <Suspense fallback={<AsWritten text={text} />}>
      <div className="flex flex-col gap-3 [&_p]:whitespace-pre-line">
        {blocks.map(({ block, key }, place) => (
          <Block key={key} text={open && place === blocks.length - 1 ? remend(block) : block} />
        ))}
      </div>
    </Suspense>
  );
}

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <CatchBoundary getResetKey={() => text} errorComponent={() => <AsWritten text={text} />}>
      <Rendered text={text} pictureAt={pictureAt} linkTo={linkTo} />
    </CatchBoundary>
  );
});

function AsWritten({ text }: { text: string }) {
  return <p className="break-words whitespace-pre-wrap">{text}</p>;
}
