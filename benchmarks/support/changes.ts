import { operationTime } from "../../adapters/mongo/replica-set.ts";
import type { OperationTime } from "../../core/ports.ts";
import { CaptureWorld } from "../../tests/support/capture-world.ts";
import { orderOf } from "./order.ts";
import { ReplayServer } from "./replay.ts";

/** Changes of 1 KB on one hot collection, and where to read them. */
export interface Changes extends AsyncDisposable {
  readonly name: string;
  readonly uri: string;
  readonly from: { readonly operationTime: OperationTime };
}

const insertBatch = 5000;
const oplogMegabytes = 8192;

/** Written to the DocumentDB stand-in, which then is what limits a quick reader. */
export async function changesInStandIn(world: CaptureWorld, count: number): Promise<Changes> {
  await world.client.db("elsewhere").collection("marker").insertOne({ at: new Date() });
  const from = { operationTime: await operationTime(world.client) };
  const orders = world.client.db("shop").collection<{ _id: number }>("orders");
  for (let first = 1; first <= count; first += insertBatch) {
    const length = Math.min(insertBatch, count - first + 1);
    await orders.insertMany(Array.from({ length }, (_, index) => orderOf(first + index)));
  }
  return {
    name: "DocumentDB stand-in",
    uri: world.documentdb.ready.uri,
    from,
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Replayed from memory: the reader is what limits. */
export async function changesReplayed(count: number): Promise<Changes> {
  const server = await ReplayServer.start(count);
  return {
    name: "replayed from memory",
    uri: server.uri,
    from: { operationTime: { t: 1_700_000_000, i: 1 } },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Stand-ins whose oplog holds every change of a benchmark. */
export function benchmarkWorld(): Promise<CaptureWorld> {
  return CaptureWorld.start({ oplogMegabytes });
}
