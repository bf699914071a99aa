/** A database and the dialect in front of it, for tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient, type MongoClientOptions } from "mongodb";
import { DialectProxy } from "../proxy.ts";
import type { Settings } from "../settings.ts";

export interface TestDatabase extends AsyncDisposable {
  readonly uri: string;
  readonly process: ChildProcess;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    child.once("exit", (code) =>
      reject(new Error(`the database ended with exit code ${code} before it was ready`)),
    );
  });
}

/** The MongoDB stand-in as a process, in a directory of its own or in a given one (which then stays). */
export async function startDatabase(directory?: string, more: readonly string[] = []): Promise<TestDatabase> {
  const dir = directory ?? mkdtempSync(join(tmpdir(), "database-"));
  const main = join(import.meta.dirname, "../../database/main.ts");
  const child = spawn(
    process.execPath,
    [main, "--dir", dir, "--members", "1", "--exit-with-parent", ...more],
    {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, SANDBOX_ADMIN_PASSWORD: "root password" },
    },
  );
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const forget = () => {
    if (directory === undefined) rmSync(dir, { recursive: true, force: true });
  };
  const line = await firstLine(child).catch((cause: unknown) => {
    forget();
    throw cause;
  });
  const { uri } = JSON.parse(line) as { uri: string };
  return {
    uri,
    process: child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      forget();
    },
  };
}

export interface TestDialect extends AsyncDisposable {
  readonly upstream: TestDatabase;
  readonly directory: string;
  /** The proxy now; another one after `restart`. */
  proxy: DialectProxy;
  /** A client of the proxy as root, or as the given user; closed with the rest. */
  connect(options?: MongoClientOptions): Promise<MongoClient>;
  restart(): Promise<void>;
}

/** Database and dialect. Settings are the milder ones where a test doesn't ask for others: no delays. */
export async function startDialect(
  settings: Partial<Settings> = {},
  engineVersion = "5.0.0",
): Promise<TestDialect> {
  const upstream = await startDatabase();
  const directory = mkdtempSync(join(tmpdir(), "documentdb-"));
  const mild = { lookupDelayMs: 0, staleAuthorizationMs: 0, multiWriteCommitDelayMs: 0, ...settings };
  const options = { upstream: upstream.uri, directory, port: 0, engineVersion, settings: mild };
  const clients: MongoClient[] = [];
  const dialect: TestDialect = {
    upstream,
    directory,
    proxy: await DialectProxy.start(options),
    async connect(more) {
      const client = await MongoClient.connect(dialect.proxy.uri, {
        serverSelectionTimeoutMS: 5000,
        ...more,
      });
      clients.push(client);
      return client;
    },
    async restart() {
      await dialect.proxy.stop();
      dialect.proxy = await DialectProxy.start({ ...options, settings: {} });
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client.close(true);
      await dialect.proxy.stop();
      await upstream[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return dialect;
}

/** Code of the error a call fails with; undefined when it succeeds. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: { code?: unknown }) => error.code ?? String(error),
  );
}
