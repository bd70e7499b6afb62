import { Link } from "@tanstack/react-router";
import type { Ref } from "@/features/registry/queries";
import { t } from "@/strings";

export function Breadcrumb({ namespace, name }: Ref) {
  return (
    <nav aria-label={t.registry.page.breadcrumb} className="mb-2 text-sm text-quiet">
      <ol className="flex flex-wrap gap-x-2">
        <li>
          <Link to="/skills" className="underline underline-offset-2 hover:text-ink">
            {t.registry.title}
          </Link>
        </li>
        <li className="break-all before:mr-2 before:content-['/']">{namespace}</li>
        <li className="break-all before:mr-2 before:content-['/']" aria-current="page">
          {name}
        </li>
      </ol>
    </nav>
  );
}
