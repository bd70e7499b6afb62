import { X } from "lucide-react";
import { Toast } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { asProblem } from "@/api/problem";
import { t } from "@/strings";

interface Notice {
  id: number;
  text: string;
  hint?: string;
  bad: boolean;
}

interface Notify {
  say: (text: string) => void;
  fail: (error: unknown) => void;
}

const Context = createContext<Notify>({ say: () => {}, fail: () => {} });
const SHOWN_MS = 6_000;
let last = 0;

/** Short messages in the corner: `const { say, fail } = useNotices()`. */
export function useNotices(): Notify {
  return useContext(Context);
}

export function Notices({ children }: { children: ReactNode }) {
  const [notices, setNotices] = useState<Notice[]>([]);
  const add = useCallback((notice: Omit<Notice, "id">) => {
    last += 1;
    setNotices((known) => [...known, { ...notice, id: last }]);
  }, []);
  const notify = useMemo<Notify>(
    () => ({
      say: (text) => add({ text, bad: false }),
      fail: (error) => {
        const problem = asProblem(error);
        add({ text: problem.message, hint: problem.hint, bad: true });
      },
    }),
    [add],
  );
  const forget = (id: number) => setNotices((known) => known.filter((notice) => notice.id !== id));
  return (
    <Context.Provider value={notify}>
      <Toast.Provider duration={SHOWN_MS} label={t.notice}>
        {children}
        {notices.map((notice) => (
          <Toast.Root
            key={notice.id}
            type={notice.bad ? "foreground" : "background"}
            onOpenChange={(open) => !open && forget(notice.id)}
            className="flex items-start gap-3 rounded-lg border border-line-strong bg-surface p-3 text-sm shadow-lg"
          >
            <div className="min-w-0 flex-1">
              <Toast.Title
                className={notice.bad ? "font-medium break-words text-danger" : "font-medium break-words"}
              >
                {notice.text}
              </Toast.Title>
              {notice.hint && (
                <Toast.Description className="mt-0.5 text-quiet">{notice.hint}</Toast.Description>
              )}
            </div>
            <Toast.Close aria-label={t.close}>
              <X className="size-4 text-quiet" aria-hidden />
            </Toast.Close>
          </Toast.Root>
        ))}
        <Toast.Viewport className="fixed right-4 bottom-4 z-50 flex w-80 max-w-[calc(100vw-2rem)] flex-col gap-2" />
      </Toast.Provider>
    </Context.Provider>
  );
}
