import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Tooltip } from "radix-ui";
import { ApiProblem } from "@/api/problem";
import { whenSignedOut } from "@/api/session";
import { Notices } from "@/components/Notices";
import { rememberSession } from "@/features/accounts/me";
import { router } from "@/routes";

const HELPS_TO_TRY_AGAIN = (failures: number, error: Error) =>
  failures < 2 && !(error instanceof ApiProblem && error.status > 0 && error.status < 500);

const queries = new QueryClient({
  defaultOptions: { queries: { staleTime: 5_000, retry: HELPS_TO_TRY_AGAIN }, mutations: { retry: false } },
});

whenSignedOut(() => {
  rememberSession(false);
  if (router.state.location.pathname === "/sign-in") return;
  queries.clear();
  void router.navigate({ to: "/sign-in", search: { next: router.state.location.href } });
});

export function App() {
  return (
    <QueryClientProvider client={queries}>
      <Tooltip.Provider delayDuration={300}>
        <Notices>
          <RouterProvider router={router} context={{ queries }} />
        </Notices>
      </Tooltip.Provider>
    </QueryClientProvider>
  );
}
