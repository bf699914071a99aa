/** Capture without upload against a bare drain of the same raw cursor: what numbering, sorting and hashing cost. */
import { MongoClient } from "mongodb";
import { systemClock } from "../adapters/clock.ts";
import { ChangeStream } from "../adapters/mongo/change-stream.ts";
import { RawCursor } from "../adapters/mongo/raw-cursor.ts";
import { createClassifier } from "../core/changes/classify.ts";
import { FlushBuilder } from "../core/changes/flush.ts";
import { chainStart } from "../core/changes/manifest-chain.ts";
import { defaultSettings } from "../core/failback/documents.ts";
import type { ObjectStore } from "../core/ports.ts";
import { Arena } from "../services/replication/arena.ts";
import { capture } from "../services/replication/capture.ts";
import { LogWriter } from "../services/replication/log-writer.ts";
import { PatientStore } from "../services/replication/patient-store.ts";
import { testScope } from "../tests/support/capture-context.ts";
import { benchmarkArguments, measureRatio, report } from "./ratio.ts";
import { ReplayServer } from "./support/replay.ts";

const { rounds, size, json } = benchmarkArguments(300_000);
const from = { operationTime: { t: 1_700_000_000, i: 1 } };
const silent = { debug() {}, info() {}, warn() {}, error() {} };

await using server = await ReplayServer.start(size);

/** Takes every object and keeps none. */
const nowhere = { put: async () => ({ etag: "" }) } as unknown as ObjectStore;

async function captureAll(): Promise<void> {
  const stop = new AbortController();
  const { maxBytesPerFlush, maxDelayMs, maxEventsPerObject } = defaultSettings;
  const giveUp = new AbortController().signal;
  const writer = new LogWriter({
    store: nowhere,
    patient: new PatientStore({ store: nowhere, clock: systemClock, logger: silent, giveUp }),
    clock: systemClock,
    failbackId: "benchmark",
    writer: { host: "host", run: "run" },
    head: chainStart,
    compression: "none",
    bytesInFlightMax: maxBytesPerFlush,
    onCommitted: ({ manifest }) => {
      if (manifest.lastSequence === size) stop.abort();
    },
  });
  const classify = createClassifier(testScope);
  const arena = new Arena(maxBytesPerFlush + 1024 * 1024);
  await capture({
    source: new ChangeStream({
      connect: () => new MongoClient(server.uri).connect(),
      subject: { what: "benchmark", server: "replay", secretName: "none" },
      clock: systemClock,
      logger: silent,
    }),
    from,
    builder: new FlushBuilder({ nextSequence: 1, classify, maxEventsPerObject, resume: from, memory: arena }),
    arena,
    writer,
    clock: systemClock,
    maxBytesPerFlush,
    maxDelayMs,
    tokenOnlyMs: 90_000,
    onTurn: () => {},
    signal: stop.signal,
  });
}

async function drain(): Promise<void> {
  const client = await new MongoClient(server.uri).connect();
  const { cursor } = await RawCursor.open(client, from, { awaitMs: 1000 });
  for (let read = 0; read < size; ) read += (await cursor.next()).documents.length;
  await cursor.close();
  await client.close();
}

const nothing = async () => {};
const result = await measureRatio(
  { name: "capture without upload", work: `${size} changes of 1 KB, one collection`, target: 0.8 },
  { name: "capture", prepare: nothing, run: captureAll },
  { name: "bare drain of the raw cursor", prepare: nothing, run: drain },
  rounds,
);
report(result, json);
