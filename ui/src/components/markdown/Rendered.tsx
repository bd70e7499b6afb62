import "@/components/markdown/markdown.css";
import { useRouter } from "@tanstack/react-router";
import { ImageOff, Square, SquareCheck } from "lucide-react";
import type { ComponentProps, MouseEvent } from "react";
import ReactMarkdown, { type Components, type ExtraProps } from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import { type Addresses, safeLink, safePicture } from "@/components/markdown/addresses";
import { orderedHeadings } from "@/components/markdown/headings";
import { htmlAsText } from "@/components/markdown/raw";
import { Scrolled } from "@/components/Scrolled";
import { t } from "@/strings";

const words = t.markdown;
const components: Components = { a: Anchor, img: Picture, input: Tick, table: Table };

export default function Rendered({ text, linkTo, pictureAt }: Addresses & { text: string }) {
  return (
    <div className="markdown" dir="auto">
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        rehypePlugins={[htmlAsText, rehypeSanitize, orderedHeadings]}
        urlTransform={(address, key) =>
          key === "src" ? safePicture(address, pictureAt) : safeLink(address, linkTo)
        }
        components={components}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}

function Anchor({ href, title, children }: ComponentProps<"a">) {
  if (!href) return <span title={title}>{children}</span>;
  if (href.startsWith("/")) return <Inside href={href}>{children}</Inside>;
  return (
    <a href={href} title={title} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

/** A link to a place of ours, without loading the page anew. */
function Inside({ href, children }: ComponentProps<"a"> & { href: string }) {
  const router = useRouter();
  const go = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    router.history.push(href);
  };
  return (
    <a href={href} onClick={go}>
      {children}
    </a>
  );
}

function Picture({ src, alt }: ComponentProps<"img">) {
  if (src) return <img src={src} alt={alt ?? ""} loading="lazy" />;
  return (
    <span className="markdown-picture">
      <ImageOff aria-hidden />
      {words.picture(alt || "")}
    </span>
  );
}

/** A wide table is moved within its own box. */
function Table({ node, children }: ComponentProps<"table"> & ExtraProps) {
  return (
    <Scrolled label={words.table(node?.position?.start.line ?? 1)}>
      <table>{children}</table>
    </Scrolled>
  );
}

/** A box of a task list: a sign, not a control. */
function Tick({ checked }: ComponentProps<"input">) {
  const Sign = checked ? SquareCheck : Square;
  return <Sign role="img" aria-label={checked ? words.done : words.open} className="markdown-tick" />;
}
