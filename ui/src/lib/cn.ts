import { type ClassValue, clsx } from "clsx";
import { twMerge } from "tailwind-merge";

/** Class names, the later ones winning over the earlier. */
export function cn(...inputs: ClassValue[]): string {
  return twMerge(clsx(inputs));
}
