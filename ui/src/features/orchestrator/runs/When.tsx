import { ago, moment } from "@/lib/format";

/** How long ago, and when exactly. */
export function When({ at }: { at: string }) {
  return (
    <time dateTime={at} title={moment(at)}>
      {ago(at)}
    </time>
  );
}
