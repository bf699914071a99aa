/** Capture, compression and S3 against a default `watch()` loop that discards: reading raw pays for all of it. */
import { MongoClient, Timestamp } from "mongodb";
import { benchmarkArguments, measureRatio, report } from "./ratio.ts";
import { captureAll } from "./support/capture-run.ts";
import { benchmarkWorld, type Changes, changesInStandIn, changesReplayed } from "./support/changes.ts";

const { rounds, size, json } = benchmarkArguments(300_000);
const nothing = async () => {};
let run = 0;

await using world = await benchmarkWorld();
for (const changes of [await changesReplayed(size), await changesInStandIn(world, size)]) {
  await using source = changes;
  const result = await measureRatio(
    { name: `capture, zstd, S3, ${source.name}`, work: `${size} changes of 1 KB, one collection`, target: 5 },
    { name: "capture", prepare: nothing, run: () => captureOnce(source) },
    { name: "watch() that discards", prepare: nothing, run: () => watchOnce(source) },
    rounds,
  );
  report(result, json);
}

function captureOnce({ uri, from }: Changes): Promise<void> {
  const failbackId = `upload-${++run}`;
  return captureAll({ uri, from, events: size, store: world.store, failbackId, compression: "zstd" });
}

async function watchOnce({ uri, from }: Changes): Promise<void> {
  const client = await new MongoClient(uri).connect();
  const { t, i } = from.operationTime;
  const stream = client.watch([], { startAtOperationTime: new Timestamp({ t, i }) });
  let read = 0;
  for await (const _event of stream) if (++read >= size) break;
  await stream.close();
  await client.close();
}
