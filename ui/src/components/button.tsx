import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

export const buttonStyle = cva(
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg border text-sm font-medium transition-colors disabled:cursor-not-allowed disabled:opacity-60 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      look: {
        primary: "border-transparent bg-accent text-on-accent hover:bg-accent-strong",
        plain: "bg-surface text-ink hover:bg-raised",
        quiet: "border-transparent bg-transparent text-quiet hover:bg-raised hover:text-ink",
        danger: "border-danger bg-surface text-danger hover:bg-danger-soft",
      },
      size: { normal: "min-h-9 px-3.5 py-1.5", small: "min-h-8 px-2.5 py-1 text-xs", icon: "size-9" },
    },
    defaultVariants: { look: "plain", size: "normal" },
  },
);

type Props = ComponentProps<"button"> & VariantProps<typeof buttonStyle> & { busy?: boolean };

export function Button({ look, size, busy, className, children, disabled, type = "button", ...rest }: Props) {
  return (
    <button
      type={type}
      className={cn(buttonStyle({ look, size }), className)}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      {...rest}
    >
      {busy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}
