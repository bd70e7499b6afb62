import { Link } from "@tanstack/react-router";
import { buttonStyle } from "@/components/button";
import { Page, Problem } from "@/components/layout";
import { t } from "@/strings";

export function NotFound() {
  return (
    <main>
      <Page title={t.notFound.title} lead={t.notFound.text}>
        <Link to="/" className={buttonStyle({ look: "primary", className: "self-start" })}>
          {t.notFound.home}
        </Link>
      </Page>
    </main>
  );
}

export function Crashed({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <main>
      <Page title={t.crashed.title} lead={t.crashed.text}>
        <Problem error={error} onRetry={reset} />
      </Page>
    </main>
  );
}
