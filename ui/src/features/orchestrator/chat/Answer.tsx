import { lazy, memo, Suspense } from "react";
import remend from "remend";
import { blocksOf } from "@/features/orchestrator/chat/blocks";

const Rendered = lazy(() => import("@/components/markdown/Rendered"));

/** Pictures of ours that a text may show: files of the session. */
const pictureAt = (address: string) =>
  address.startsWith("/api/v1/orchestrator/files/") ? address : undefined;
const linkTo = (address: string) => (address.startsWith("/") ? address : undefined);

/** Text of a model, in Markdown. While it is written, the last piece of it is closed for the eye. */
export function Answer({ text, open }: { text: string; open: boolean }) {
  const blocks = blocksOf(text).map((block, place) => ({ block, key: String(place) }));
  return (
    <div className="flex flex-col gap-3 [&_p]:whitespace-pre-line">
      {blocks.map(({ block, key }, place) => (
        <Block key={key} text={open && place === blocks.length - 1 ? remend(block) : block} />
      ))}
    </div>
  );
}

const Block = memo(function Block({ text }: { text: string }) {
  return (
    <Suspense fallback={<p className="whitespace-pre-wrap break-words">{text}</p>}>
      <Rendered text={text} pictureAt={pictureAt} linkTo={linkTo} />
    </Suspense>
  );
});
