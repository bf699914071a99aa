/** The listener: one upstream connection for every client connection. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { dialect } from "./dialect/dialect.ts";
import { passSettings } from "./dialect/sandbox.ts";
import type { Shared } from "./dialect/shared.ts";
import { Session } from "./session.ts";
import type { Settings } from "./settings.ts";
import { State } from "./state.ts";
import { Streams } from "./streams/stream.ts";
import { Upstream } from "./upstream.ts";

export interface ProxyOptions {
  /** Connection string of the database behind, with a root user. */
  readonly upstream: string;
  readonly directory: string;
  /** 0: the port of the last start, or any free one. */
  readonly port: number;
  readonly engineVersion: string;
  /** How many readers there are beside the writer, each on a port of its own. Default 0. */
  readonly readers?: number;
  /** Settings given on the command line; they replace stored ones. */
  readonly settings: Partial<Settings>;
}

const PRIMARY_WAIT_MS = 5_000;

/** `user:password` of a connection string, still encoded; "" when it has none. */
function credentialsOf(uri: string): string {
  return /^mongodb(?:\+srv)?:\/\/([^@/]*)@/.exec(uri)?.[1] ?? "";
}

export class DialectProxy {
  readonly #sessions = new Map<Session, string>();
  readonly #servers: Server[] = [];
  readonly #shared: Shared;

  private constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** Listens on 127.0.0.1 once the database answers. */
  static async start(options: ProxyOptions): Promise<DialectProxy> {
    const state = new State(options.directory);
    state.update({ settings: { ...state.settings, ...options.settings } });
    const user = credentialsOf(options.upstream).split(":")[0]!;
    let proxy: DialectProxy | undefined;
    const shared: Shared = {
      dialect,
      state,
      streams: new Streams(state),
      upstream: new Upstream(
        options.upstream,
        (address) => proxy?.cut(address),
        () => {
          if (proxy)
            passSettings(shared).catch((cause: unknown) =>
              console.error("documentdb: settings were not passed on", cause),
            );
        },
      ),
      engineVersion: options.engineVersion,
      address: "",
      readers: [],
      authorization: user !== "",
      primaryUser: user === "" ? undefined : decodeURIComponent(user),
      operationTime: 0n,
    };
    await shared.upstream.open();
    if (!(await passSettings(shared))) {
      console.error(
        "documentdb: the database has no _sandbox command: late demotion and slow multi-updates stay off",
      );
    }
    proxy = new DialectProxy(shared);
    await proxy.#listen(options);
    return proxy;
  }

  /** The writer and the readers come back at the ports they had, where those are free. */
  async #listen({ port, readers = 0 }: ProxyOptions): Promise<void> {
    const { state } = this.#shared;
    const writerPort = await this.#open(port || state.port, port !== 0, undefined);
    this.#shared.address = `127.0.0.1:${writerPort}`;
    const readerPorts: number[] = [];
    for (let number = 0; number < readers; number++) {
      readerPorts.push(await this.#open(state.readerPorts[number] ?? 0, false, number));
    }
    this.#shared.readers = readerPorts.map((each) => `127.0.0.1:${each}`);
    state.update({ port: writerPort, readerPorts });
  }

  async #open(wanted: number, mandatory: boolean, reader: number | undefined): Promise<number> {
    const server = createServer((client) => void this.#accept(client, reader));
    this.#servers.push(server);
    const listen = (port: number) =>
      new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", () => {
          server.removeListener("error", reject);
          resolve();
        });
      });
    await listen(wanted).catch((cause: NodeJS.ErrnoException) => {
      if (mandatory || wanted === 0 || cause.code !== "EADDRINUSE") throw cause;
      return listen(0);
    });
    return (server.address() as { port: number }).port;
  }

  async #accept(client: Socket, reader: number | undefined): Promise<void> {
    client.pause();
    client.setNoDelay(true);
    client.on("error", () => client.destroy());
    const { upstream: database } = this.#shared;
    const address = await (reader === undefined
      ? database.primary(PRIMARY_WAIT_MS)
      : database.reader(reader, PRIMARY_WAIT_MS));
    if (address === undefined || client.destroyed) {
      client.destroy();
      return;
    }
    const [host, port] = address.split(":");
    const upstream = connect({ host: host!, port: Number(port), noDelay: true });
    upstream.once("error", () => client.destroy());
    client.once("close", () => upstream.destroy());
    upstream.once("connect", () => {
      const own = reader === undefined ? this.#shared.address : this.#shared.readers[reader]!;
      const session = new Session(client, upstream, this.#shared, {
        isReader: reader !== undefined,
        address: own,
      });
      this.#sessions.set(session, address);
      session.onClose(() => this.#sessions.delete(session));
      client.resume();
    });
  }

  /** The primary at `address` is none any more: its clients must look for the new one. */
  private cut(address: string): void {
    for (const [session, connected] of this.#sessions) if (connected === address) session.close();
  }

  get port(): number {
    return Number(this.#shared.address.split(":")[1]);
  }

  /** The address for clients, with the credentials of the database's own connection string. */
  get uri(): string {
    const credentials = credentialsOf(this.#shared.upstream.uri);
    if (credentials === "") return `mongodb://${this.#shared.address}/?replicaSet=rs0&retryWrites=false`;
    return `mongodb://${credentials}@${this.#shared.address}/?replicaSet=rs0&retryWrites=false&authSource=admin`;
  }

  async stop(): Promise<void> {
    for (const session of this.#sessions.keys()) session.close();
    await Promise.all(
      this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    await this.#shared.upstream.close();
  }
}
