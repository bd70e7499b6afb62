import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { Crashed, NotFound } from "@/components/Lost";
import { Shell } from "@/components/Shell";
import { signedIn } from "@/features/accounts/me";
import { SignIn } from "@/features/accounts/SignIn";
import { Home } from "@/features/home/Home";

interface Context {
  queries: QueryClient;
}

const text = (value: unknown) => (typeof value === "string" && value ? value : undefined);

const root = createRootRouteWithContext<Context>()({ notFoundComponent: NotFound, errorComponent: Crashed });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search): { token?: string; next?: string } => ({
    token: text(search.token),
    next: text(search.next),
  }),
  component: SignIn,
});

/** Everything but signing in: shown to who is signed in, in the frame with the navigation. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  beforeLoad: async ({ context, location }) => {
    if (!(await signedIn(context.queries))) {
      throw redirect({ to: "/sign-in", search: { next: location.href } });
    }
  },
  component: Shell,
});

const home = createRoute({ getParentRoute: () => inside, path: "/", component: Home });

const settings = createRoute({
  getParentRoute: () => inside,
  path: "/settings",
  component: lazyRouteComponent(() => import("@/features/accounts/Settings"), "Settings"),
});
const settingsIndex = createRoute({
  getParentRoute: () => settings,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/account" });
  },
});
const account = createRoute({
  getParentRoute: () => settings,
  path: "/account",
  component: lazyRouteComponent(() => import("@/features/accounts/Account"), "Account"),
});
const tokens = createRoute({
  getParentRoute: () => settings,
  path: "/tokens",
  component: lazyRouteComponent(() => import("@/features/accounts/Tokens"), "Tokens"),
});

const models = createRoute({
  getParentRoute: () => settings,
  path: "/models",
  component: lazyRouteComponent(() => import("@/features/orchestrator/models/Models"), "Models"),
});

const chat = createRoute({
  getParentRoute: () => inside,
  path: "/chat",
  // `ask` is a question to begin with, as the examples on the home page have it.
  validateSearch: (search): { ask?: string } => ({ ask: text(search.ask) }),
  component: lazyRouteComponent(() => import("@/features/orchestrator/chat/Chat"), "Chat"),
});
const conversation = createRoute({
  getParentRoute: () => inside,
  path: "/chat/$sessionId",
  component: lazyRouteComponent(() => import("@/features/orchestrator/chat/Chat"), "Chat"),
});

const skills = createRoute({
  getParentRoute: () => inside,
  path: "/skills",
  validateSearch: (search): { query?: string; installed?: true } => ({
    query: text(search.query),
    installed: search.installed === true || undefined,
  }),
  component: lazyRouteComponent(() => import("@/features/registry/Skills"), "Skills"),
});
const skill = createRoute({
  getParentRoute: () => inside,
  path: "/skills/$namespace/$name",
  validateSearch: (search): { version?: string; tab?: string; file?: string } => ({
    version: text(search.version),
    tab: text(search.tab),
    file: text(search.file),
  }),
  component: lazyRouteComponent(() => import("@/features/registry/SkillPage"), "SkillPage"),
});

const runs = createRoute({
  getParentRoute: () => inside,
  path: "/runs",
  validateSearch: (search): { status?: string } => ({ status: text(search.status) }),
  component: lazyRouteComponent(() => import("@/features/orchestrator/runs/Runs"), "Runs"),
});
const run = createRoute({
  getParentRoute: () => inside,
  path: "/runs/$runId",
  component: lazyRouteComponent(() => import("@/features/orchestrator/runs/RunPage"), "RunPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    signIn,
    inside.addChildren([
      home,
      chat,
      conversation,
      skills,
      skill,
      runs,
      run,
      settings.addChildren([settingsIndex, account, models, tokens]),
    ]),
  ]),
  context: undefined as unknown as Context,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
