import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { handleControl } from "./control.ts";
import { Dispatcher, type Observer } from "./dispatch.ts";
import { Faults } from "./faults.ts";
import { Identities } from "./identity.ts";
import { Journal } from "./journal.ts";
import { Processes } from "./processes.ts";
import { createServices } from "./registry.ts";
import { requestTarget } from "./request-target.ts";
import type { Service, ServiceContext } from "./service.ts";

export interface AwsOptions {
  readonly dir: string;
  /** 0: the port this directory was served on before, else any free one. */
  readonly port: number;
  readonly region: string;
  /** For a test that looks into what is kept between two requests. */
  readonly observe?: Observer;
}

export interface AwsServer {
  readonly url: string;
  stop(): Promise<void>;
}

const account = "123456789012";

function rememberedPort(file: string): number {
  const port = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : 0;
}

function openDatabase(file: string): Database {
  const db = new Database(file, { create: true });
  // WAL with synchronous=NORMAL: what was committed survives kill -9; only a power cut could take the last commits.
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = NORMAL");
  db.run("PRAGMA busy_timeout = 5000");
  return db;
}

async function startAll(services: readonly Service[], context: ServiceContext): Promise<void> {
  for (const service of services) await service.start?.(context);
}

/** Starts the stand-in on loopback. Everything it knows lies below `dir` and is there again after a restart. */
export async function startAws({ dir, port, region, observe }: AwsOptions): Promise<AwsServer> {
  mkdirSync(dir, { recursive: true });
  const db = openDatabase(join(dir, "aws.sqlite"));
  const portFile = join(dir, "port");
  const identities = new Identities(db, account);
  const controlled = {
    faults: new Faults(),
    journal: new Journal(db),
    processes: new Processes(),
    identities,
    account,
  };
  let url = "";
  const context: ServiceContext = { db, dir, region, account, now: () => new Date(), url: () => url };
  const services = createServices(identities);
  const routes = new Map(
    services.flatMap(({ control }) =>
      Object.entries(control ?? {}).map(
        ([area, handle]) =>
          [area, (request: Request, rest: string) => handle(request, rest, context)] as const,
      ),
    ),
  );
  const dispatcher = new Dispatcher({ ...controlled, services, context, observe });
  let started = false;
  const { promise: starting, resolve: begin } = Promise.withResolvers<void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: port || rememberedPort(portFile),
    idleTimeout: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      // A client retries the moment the port is back, which is before the services have read their state.
      if (!started) await starting;
      const { path } = requestTarget(request.url);
      return path.startsWith("/_sandbox/")
        ? handleControl(request, path, { ...controlled, routes })
        : dispatcher.handle(request);
    },
  });
  url = `http://127.0.0.1:${server.port}`;
  writeFileSync(portFile, String(server.port));
  await startAll(services, context);
  started = true;
  begin();
  return {
    url,
    async stop() {
      dispatcher.close();
      await server.stop(true);
      for (const service of services) await service.stop?.();
      db.close();
    },
  };
}
