import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Faults } from "../aws/faults.ts";
import { Journal } from "../aws/journal.ts";
import { handleControl } from "./control.ts";
import { Dispatcher } from "./dispatch.ts";
import { environmentRoutes } from "./environments.ts";
import { issueRoutes } from "./issues.ts";
import { labelRoutes } from "./labels.ts";
import { pullRoutes } from "./pulls.ts";
import { RateLimit } from "./rate-limit.ts";
import { repositoryRoutes } from "./repository.ts";
import { Router } from "./route.ts";
import { Store } from "./store.ts";
import { Tokens } from "./tokens.ts";
import { variableRoutes } from "./variables.ts";

export interface GitHubServer {
  readonly url: string;
  stop(): Promise<void>;
}

const routes = [
  ...issueRoutes,
  ...labelRoutes,
  ...pullRoutes,
  ...environmentRoutes,
  ...variableRoutes,
  ...repositoryRoutes,
];

/**
 * Starts the stand-in for GitHub's REST API on loopback. What it knows lies below `dir` and is there again after a
 * restart, on the same port where `port` is 0.
 */
export async function startGitHub(options: {
  readonly dir: string;
  readonly port: number;
}): Promise<GitHubServer> {
  const { dir, port } = options;
  mkdirSync(dir, { recursive: true });
  const db = new Database(join(dir, "github.sqlite"), { create: true });
  // What was committed survives kill -9; only a power cut could take the last commits.
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = NORMAL");
  const portFile = join(dir, "port");
  const remembered = existsSync(portFile) ? Number(readFileSync(portFile, "utf8")) : 0;
  const store = new Store(db);
  const tokens = new Tokens(store);
  const steered = { store, tokens, faults: new Faults(), journal: new Journal(db), limit: new RateLimit() };
  const dispatcher = new Dispatcher({ ...steered, router: new Router(routes) });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: port || remembered,
    idleTimeout: 0,
    fetch: (request) =>
      new URL(request.url).pathname.startsWith("/_sandbox/")
        ? handleControl(request, steered)
        : dispatcher.handle(request),
  });
  writeFileSync(portFile, String(server.port));
  return {
    url: `http://127.0.0.1:${server.port}`,
    async stop() {
      await server.stop(true);
      db.close();
    },
  };
}
