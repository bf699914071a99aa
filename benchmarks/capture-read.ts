/** Capture without upload against a bare drain of the same raw cursor: what numbering, sorting and hashing cost. */
import { MongoClient } from "mongodb";
import { RawCursor } from "../adapters/mongo/raw-cursor.ts";
import type { ObjectStore } from "../core/ports.ts";
import { benchmarkArguments, measureRatio, report } from "./ratio.ts";
import { captureAll } from "./support/capture-run.ts";
import { benchmarkWorld, type Changes, changesInStandIn, changesReplayed } from "./support/changes.ts";

const { rounds, size, json } = benchmarkArguments(100_000);

/** Takes every object and keeps none. */
const nowhere = { put: async () => ({ etag: "" }) } as unknown as ObjectStore;
const nothing = async () => {};

await using world = await benchmarkWorld();
for (const changes of [await changesInStandIn(world, size), await changesReplayed(size)]) {
  await using source = changes;
  const result = await measureRatio(
    {
      name: `capture without upload, ${source.name}`,
      work: `${size} changes of 1 KB, one collection`,
      target: 0.8,
    },
    { name: "capture", prepare: nothing, run: () => captureOnce(source) },
    { name: "bare drain of the raw cursor", prepare: nothing, run: () => drain(source) },
    rounds,
  );
  report(result, json);
}

function captureOnce({ uri, from }: Changes): Promise<void> {
  return captureAll({
    uri,
    from,
    events: size,
    store: nowhere,
    failbackId: "benchmark",
    compression: "none",
  });
}

async function drain({ uri, from }: Changes): Promise<void> {
  const client = await new MongoClient(uri).connect();
  const cursor = await RawCursor.open(client, from, { awaitMs: 1000 });
  for (let read = 0; read < size; ) read += (await cursor.next()).documents.length;
  await cursor.close();
  await client.close();
}
