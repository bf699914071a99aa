/** Where the database's primary is. Its driver keeps watch; client connections to an old primary are cut. */
import { MongoClient, type TopologyDescription } from "mongodb";

const CLOSE_MS = 1_000;

export class Upstream {
  readonly client: MongoClient;
  #primary: string | undefined;
  #secondaries: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly uri: string,
    readonly onPrimaryLost: (address: string) => void,
    /** A server has become primary, the first included: what was set on the one before must be set again. */
    readonly onPrimary: () => void,
  ) {
    this.client = new MongoClient(uri, {
      appName: "documentdb-dialect",
      heartbeatFrequencyMS: 1000,
      minHeartbeatFrequencyMS: 100,
      serverSelectionTimeoutMS: 5000,
      retryWrites: false,
      maxPoolSize: 4,
    });
    this.client.on("topologyDescriptionChanged", ({ newDescription }) => this.#observe(newDescription));
  }

  #observe(topology: TopologyDescription): void {
    const before = this.#primary;
    const servers = [...topology.servers.values()];
    this.#primary = servers.find((server) => server.isWritable)?.address;
    this.#secondaries = servers.filter(({ type }) => type === "RSSecondary").map(({ address }) => address);
    if (before !== undefined && before !== this.#primary) this.onPrimaryLost(before);
    if (this.#primary === undefined) return;
    if (before !== this.#primary) this.onPrimary();
    for (const wake of [...this.#waiting]) wake();
  }

  /** Connects. Fails when the database can't be reached or refuses the credentials of the URI. */
  async open(): Promise<void> {
    await this.client.connect();
    await this.client.db("admin").command({ ping: 1 });
  }

  /** Address of the primary; waits for one up to `timeoutMs`, then undefined. */
  async primary(timeoutMs: number): Promise<string | undefined> {
    if (this.#primary === undefined) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        this.#waiting.add(wake);
      });
    }
    return this.#primary;
  }

  /** Address of a server for the reader of that number: a secondary where there is one, else the primary. */
  async reader(number: number, timeoutMs: number): Promise<string | undefined> {
    return this.#secondaries[number % (this.#secondaries.length || 1)] ?? this.primary(timeoutMs);
  }

  /** Bounded: the driver says goodbye to a server that may be gone already. */
  async close(): Promise<void> {
    await Promise.race([this.client.close(true), Bun.sleep(CLOSE_MS)]);
  }
}
