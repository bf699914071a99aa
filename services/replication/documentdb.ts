import type { MongoClient } from "mongodb";
import { ChangeStream } from "../../adapters/mongo/change-stream.ts";
import { isClusterStreamOn } from "../../adapters/mongo/change-stream-scopes.ts";
import { connect, subjectOf } from "../../adapters/mongo/connect.ts";
import { mongoFailure } from "../../adapters/mongo/failure.ts";
import { writeHeartbeat } from "../../adapters/mongo/heartbeat.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/service.ts";
import { replicate } from "./run.ts";

/** A reply that never comes is a dead connection: reads wait a second, lookups of a long bulk write somewhat longer. */
const socketTimeoutMs = 60_000;

/** Wires the capture to DocumentDB: one connection for the stream, one for heartbeats. */
export async function replicateFromDocumentdb(context: ServiceContext): Promise<void> {
  const { environment, secrets, clock, logger } = context;
  const secretName = environment.documentdb.secret;
  const [failback, secret] = await Promise.all([context.failback.open(), secrets.get(secretName)]);
  const server = "DocumentDB" as const;
  const subject = subjectOf(secret, { server, secretName }, "read changes");
  const connectTo = async (appName: string): Promise<MongoClient> =>
    // The secret is read again each time: it may have been rotated since.
    connect(await secrets.get(secretName), {
      server,
      secretName,
      appName,
      connectionsMax: 2,
      driver: { socketTimeoutMS: socketTimeoutMs },
    });
  const control = new ControlConnection(() => connectTo("roundtrip-heartbeat"));
  try {
    const client = await control.get();
    const on = await isClusterStreamOn(client).catch((error) => {
      throw mongoFailure(error, subject);
    });
    if (!on) throw notCovered(subject.what);
    const source = new ChangeStream({
      connect: () => connectTo("roundtrip-capture"),
      subject,
      clock,
      logger,
    });
    const beat = (number: number) =>
      control.use((connected) => writeHeartbeat(connected, failback.id, number, clock.now()));
    await replicate(context, failback, { source, beat });
  } finally {
    await control.close();
  }
}

/** One connection that is made anew after a failure. */
class ControlConnection {
  private client: MongoClient | undefined;

  constructor(private readonly connectAnew: () => Promise<MongoClient>) {}

  async get(): Promise<MongoClient> {
    this.client ??= await this.connectAnew();
    return this.client;
  }

  async use(work: (client: MongoClient) => Promise<void>): Promise<void> {
    try {
      await work(await this.get());
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.close().catch(() => {});
  }
}

/** Without this check a stream opens fine and yields nothing: silence that looks like success. */
function notCovered(what: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what,
    expected: "change streams enabled for the whole cluster, as $listChangeStreams shows it",
    got: "not enabled",
    wayOut: "run failback-start: its action enable-change-streams enables them and records the start point",
  });
}
