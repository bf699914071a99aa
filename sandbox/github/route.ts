import type { Fields, Store } from "./store.ts";
import type { Identity } from "./tokens.ts";

export interface Call {
  readonly store: Store;
  readonly url: URL;
  /** `owner/name` of the repository in the path, in lower case; "" where the path has none. */
  readonly repository: string;
  /** Parts of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly body: Fields;
  readonly identity: Identity;
  readonly now: string;
}

/** `items` is answered in pages; under `wrap` beside `total_count` where GitHub does so. */
export interface Answer {
  readonly status?: number;
  readonly body?: Fields | readonly Fields[];
  readonly items?: readonly Fields[];
  readonly wrap?: string;
}

export interface Route {
  /** As Octokit names it: what faults and the journal call this operation. */
  readonly operation: string;
  readonly method: string;
  /** Like `/repos/{owner}/{repo}/issues/{number}`. */
  readonly template: string;
  /** Any one of these is enough, like `issues:write`. */
  readonly needs: readonly string[];
  handle(call: Call): Answer;
}

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
}

export class Router {
  private readonly compiled: readonly Compiled[];

  constructor(routes: readonly Route[]) {
    this.compiled = routes.map((route) => ({
      route,
      pattern: new RegExp(`^${route.template.replaceAll(/\{([a-z]+)\}/g, "(?<$1>[^/]+)")}$`),
    }));
  }

  find(method: string, path: string): { route: Route; path: Record<string, string> } | undefined {
    for (const { route, pattern } of this.compiled) {
      const groups = route.method === method ? pattern.exec(path)?.groups : undefined;
      if (!groups) continue;
      const parts = Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)] as const);
      return { route, path: Object.fromEntries(parts) };
    }
    return undefined;
  }
}

export function text(body: Fields, name: string): string | undefined {
  const value = body[name];
  return typeof value === "string" ? value : undefined;
}
