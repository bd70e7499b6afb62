/** Light, dark, or as the system prefers; remembered in this browser. */
export type Theme = "light" | "dark" | "system";

const KEY = "raptorflow.theme";
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");

export function savedTheme(): Theme {
  const saved = localStorage.getItem(KEY);
  return saved === "light" || saved === "dark" ? saved : "system";
}

export function applyTheme(theme: Theme): void {
  const dark = theme === "dark" || (theme === "system" && prefersDark.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

export function saveTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme(theme);
}

prefersDark.addEventListener("change", () => applyTheme(savedTheme()));
