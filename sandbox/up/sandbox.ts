import { type AwsHandle, awsEnvironment, startAws, steerAws } from "./aws.ts";
import { type DatabaseHandle, startDatabase } from "./database.ts";
import { type DocumentdbHandle, startDocumentdb } from "./documentdb.ts";
import { type HostHandle, startHost } from "./host.ts";
import type { StandIn } from "./stand-in.ts";
import { Workspace } from "./workspace.ts";

export const parts = ["database", "documentdb", "aws", "host"] as const;
export type Part = (typeof parts)[number];

export interface SandboxOptions {
  readonly only?: readonly Part[];
  /** Kept afterwards; a temporary folder otherwise. */
  readonly dir?: string;
  readonly instanceId?: string;
  readonly onProgress?: (message: string) => void;
}

/** What `bun run sandbox up` prints; only what was started has its key. */
export interface SandboxAddresses {
  mongodb?: string;
  documentdb?: string;
  aws?: string;
  host?: string;
}

export const defaultInstanceId = "i-0123456789abcdef0";
/** The role whose credentials the failback machine has. */
const failbackRole = "roundtrip-failback";

/** The stand-ins together, each a process of its own. Disposing ends them, the last started first. */
export class Sandbox implements AsyncDisposable {
  database: DatabaseHandle | undefined;
  documentdb: DocumentdbHandle | undefined;
  aws: AwsHandle | undefined;
  host: HostHandle | undefined;
  readonly workspace: Workspace;
  readonly #started: StandIn<object>[] = [];
  readonly #options: SandboxOptions;

  private constructor(options: SandboxOptions) {
    this.#options = options;
    this.workspace = new Workspace(options.dir);
  }

  /** Starts what was asked for, side by side where nothing depends on it. Throws (and leaves nothing) when one doesn't come up. */
  static async start(options: SandboxOptions = {}): Promise<Sandbox> {
    const sandbox = new Sandbox(options);
    const wanted = new Set<Part>(options.only ?? parts);
    const results = await Promise.allSettled([
      wanted.has("database") ? sandbox.#startDatabase() : undefined,
      wanted.has("documentdb") ? sandbox.#startDocumentdb() : undefined,
      wanted.has("aws")
        ? sandbox.#startAws().then(() => (wanted.has("host") ? sandbox.startHost() : undefined))
        : undefined,
      wanted.has("host") && !wanted.has("aws") ? sandbox.startHost() : undefined,
    ]);
    const failure = results.find((result) => result.status === "rejected");
    if (failure) {
      await sandbox[Symbol.asyncDispose]();
      throw failure.reason;
    }
    return sandbox;
  }

  get addresses(): SandboxAddresses {
    return {
      ...(this.database ? { mongodb: this.database.ready.uri } : {}),
      ...(this.documentdb ? { documentdb: this.documentdb.ready.uri } : {}),
      ...(this.aws ? { aws: this.aws.ready.url } : {}),
      ...(this.host ? { host: this.host.ready.dir } : {}),
    };
  }

  get standIns(): readonly StandIn<object>[] {
    return this.#started;
  }

  async #startDatabase(): Promise<void> {
    this.database = await this.#track(startDatabase({ dir: this.workspace.at("database") }));
  }

  async #startDocumentdb(): Promise<void> {
    const behind = await this.#track(
      startDatabase({ dir: this.workspace.at("documentdb-data"), name: "documentdb-data" }),
    );
    this.documentdb = await this.#track(
      startDocumentdb({ dir: this.workspace.at("documentdb"), upstream: behind.ready.uri }),
    );
  }

  async #startAws(): Promise<void> {
    this.aws = await this.#track(startAws({ dir: this.workspace.at("aws") }));
  }

  /** The machine of an instance, which is made unless it exists; `only` without `host` leaves its start to the caller. */
  async startHost(instanceId = this.#options.instanceId ?? defaultInstanceId): Promise<void> {
    const url = this.aws?.ready.url;
    if (url) {
      const instances = await steerAws<{ id: string }[]>(url, "instances");
      if (!instances.some(({ id }) => id === instanceId)) {
        await steerAws(url, "instances", {
          instanceId,
          state: "stopped",
          tags: { Name: "roundtrip-failback" },
        });
      }
    }
    this.host = await this.#track(
      startHost({
        dir: this.workspace.at("host"),
        aws: url ? { url, instanceId } : undefined,
        environment: url ? awsEnvironment(url, failbackRole) : undefined,
      }),
    );
  }

  async #track<Ready extends object>(starting: Promise<StandIn<Ready>>): Promise<StandIn<Ready>> {
    const started = performance.now();
    const standIn = await starting;
    this.#started.push(standIn);
    this.#options.onProgress?.(`${standIn.name} ready after ${Math.round(performance.now() - started)} ms`);
    return standIn;
  }

  /** SIGKILL to every process, for those who can't wait. */
  killAll(): void {
    for (const standIn of this.#started) process.kill(standIn.pid, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // One after the other: the machine still reports to aws, and the dialect still talks to its database.
    for (const standIn of this.#started.toReversed()) await standIn.stop();
    this.workspace[Symbol.dispose]();
  }
}
