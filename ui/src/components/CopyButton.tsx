import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/button";
import { t } from "@/strings";

const SHOWN_MS = 2_000;

export function CopyButton({ text, label = t.copy }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), SHOWN_MS);
  };
  return (
    <Button size="small" look="quiet" onClick={copy}>
      {copied ? <Check aria-hidden /> : <Copy aria-hidden />}
      <span aria-live="polite">{copied ? t.copied : label}</span>
    </Button>
  );
}
