import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useMemo } from "react";
import { Button } from "@/components/button";
import { HiddenCharacters } from "@/components/HiddenCharacters";
import { Card, Problem, Skeleton } from "@/components/layout";
import { useNotices } from "@/components/Notices";
import { Scrolled } from "@/components/Scrolled";
import { save } from "@/features/registry/files/download";
import { nameOf } from "@/features/registry/files/tree";
import { type File, fileContent, fileQuery, type SkillDetail } from "@/features/registry/queries";
import { bytes } from "@/lib/format";
import { pieces } from "@/lib/hidden";
import { t } from "@/strings";

const words = t.registry.files;
const LARGEST = 256_000;

/** A file as text with the numbers of its lines; what is no text, or too much of it, as a download. */
export default function FileViewer({ skill, file }: { skill: SkillDetail; file: File }) {
  const { fail } = useNotices();
  const { namespace, name, version } = skill;
  const download = () =>
    fileContent({ namespace, name }, version, file.path)
      .then((content) => save(content, nameOf(file.path)))
      .catch(fail);
  return (
    <Card className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="min-w-0 text-sm font-semibold break-all">{file.path}</h2>
        <Button size="small" onClick={download}>
          <Download aria-hidden />
          {words.download}
        </Button>
      </div>
      {file.size > LARGEST ? (
        <p className="text-sm text-quiet">{words.large(bytes(LARGEST))}</p>
      ) : (
        <Content skill={skill} file={file} />
      )}
    </Card>
  );
}

function Content({ skill, file }: { skill: SkillDetail; file: File }) {
  const { namespace, name, version } = skill;
  const content = useQuery(fileQuery({ namespace, name }, version, file.path));
  if (content.isError) return <Problem error={content.error} onRetry={content.refetch} />;
  if (content.isPending) return <Skeleton lines={5} />;
  const shown = content.data;
  if (shown.kind === "binary") return <p className="text-sm text-quiet">{words.binary}</p>;
  if (shown.text === "") return <p className="text-sm text-quiet">{words.empty}</p>;
  return (
    <>
      <p className="text-xs text-quiet">{words.lines(shown.lines, bytes(file.size))}</p>
      <HiddenCharacters text={shown.text} />
      <Text text={shown.text} lines={shown.lines} label={words.content(file.path)} />
    </>
  );
}

/** Two texts side by side, not an element a line: a file of nothing but line feeds is as quick as any other. */
function Text({ text, lines, label }: { text: string; lines: number; label: string }) {
  const numbers = useMemo(() => Array.from({ length: lines }, (_, index) => index + 1).join("\n"), [lines]);
  const shown = useMemo(() => pieces(text), [text]);
  return (
    <Scrolled
      label={label}
      className="flex max-h-[70dvh] rounded-lg border bg-raised font-mono text-xs leading-5 [contain:paint]"
    >
      <pre
        aria-hidden
        className="sticky left-0 shrink-0 border-r bg-raised px-3 py-2 text-right text-quiet select-none"
      >
        {numbers}
      </pre>
      <pre dir="ltr" className="px-3 py-2 [unicode-bidi:isolate]">
        {shown.map((piece) =>
          piece.hidden ? (
            <mark key={piece.at} className="rounded bg-warning-soft px-0.5 text-warning">
              {piece.text}
            </mark>
          ) : (
            <span key={piece.at}>{piece.text}</span>
          ),
        )}
      </pre>
    </Scrolled>
  );
}
