import { GitHubError } from "./answer.ts";
import type { Store } from "./store.ts";

export type Level = "read" | "write";

/** Whose token it is and what it may do, by the names of a workflow's `permissions`. */
export interface Identity {
  readonly login: string;
  readonly type: "Bot" | "User";
  /** What is not named is not granted; `administration` is a person's or an app's, never a workflow's. */
  readonly permissions: Readonly<Record<string, Level>>;
}

export class Tokens {
  constructor(private readonly store: Store) {}

  add(token: string, identity: Identity): void {
    this.store.put("token", "", token, { ...identity });
  }

  /** Who asks; GitHub's 401 for nobody and for a token it never gave. */
  identify(request: Request): { token: string; identity: Identity } {
    const header = request.headers.get("authorization");
    if (header === null) throw new GitHubError(401, "Requires authentication");
    const token = /^(?:token|bearer) (\S+)$/i.exec(header)?.[1] ?? "";
    const identity = this.store.get("token", "", token) as unknown as Identity | undefined;
    if (identity === undefined) throw new GitHubError(401, "Bad credentials");
    return { token, identity };
  }
}

/** Refuses what none of the alternatives, like `issues: write` or `pull-requests: write`, allows. */
export function authorize({ type, permissions }: Identity, needs: readonly string[]): void {
  const isGranted = needs.some((need) => {
    const [name = "", level] = need.split(":");
    const granted = permissions[name];
    return granted === "write" || (granted === "read" && level === "read");
  });
  if (isGranted || needs.length === 0) return;
  throw type === "Bot"
    ? new GitHubError(403, "Resource not accessible by integration", undefined, {
        "x-accepted-github-permissions": needs
          .map((need) => need.replace(":", "=").replaceAll("-", "_"))
          .join("; "),
      })
    : new GitHubError(404, "Not Found");
}
