import { MongoClient } from "mongodb";
import { systemClock } from "../../adapters/clock.ts";
import { ChangeStream, type ChangeStreamOptions } from "../../adapters/mongo/change-stream.ts";
import { createClassifier } from "../../core/changes/classify.ts";
import { FlushBuilder } from "../../core/changes/flush.ts";
import { chainStart } from "../../core/changes/manifest-chain.ts";
import type { ChangeSource } from "../../core/changes/source.ts";
import { defaultSettings } from "../../core/failback/documents.ts";
import type { ObjectStore, OperationTime } from "../../core/ports.ts";
import { Arena } from "../../services/replication/arena.ts";
import { capture } from "../../services/replication/capture.ts";
import { LogWriter } from "../../services/replication/log-writer.ts";
import { PatientStore } from "../../services/replication/patient-store.ts";
import { testScope } from "../../tests/support/capture-context.ts";

export interface CaptureRun {
  readonly uri: string;
  readonly from: { readonly operationTime: OperationTime };
  /** The run ends when that many events are read and committed. */
  readonly events: number;
  readonly store: ObjectStore;
  readonly failbackId: string;
  readonly compression: "none" | "zstd";
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** The capture's own loop and writer with its default settings, in this process. */
export async function captureAll({
  uri,
  from,
  events,
  store,
  failbackId,
  compression,
}: CaptureRun): Promise<void> {
  const { maxBytesPerFlush, maxDelayMs, maxEventsPerObject } = defaultSettings;
  const giveUp = new AbortController().signal;
  const arena = new Arena(maxBytesPerFlush + 1024 * 1024);
  const writer = new LogWriter({
    store,
    patient: new PatientStore({ store, clock: systemClock, logger: silent, giveUp }),
    clock: systemClock,
    failbackId,
    writer: { host: "host", run: "run" },
    head: chainStart,
    compression,
    bytesInFlightMax: maxBytesPerFlush,
    onCommitted: () => {},
  });
  const classify = createClassifier(testScope);
  await capture({
    source: endingAfter(events, {
      connect: () => new MongoClient(uri).connect(),
      subject: { what: "benchmark", server: "benchmark", secretName: "none" },
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
    signal: giveUp,
  });
}

/** What it is compared with stops at the last event, too: nobody waits whether another one follows. */
function endingAfter(events: number, options: ChangeStreamOptions): ChangeSource {
  const stream = new ChangeStream(options);
  return {
    async *read(from, signal) {
      let left = events;
      for await (const batch of stream.read(from, signal)) {
        yield batch;
        left -= batch.events.length;
        if (left <= 0) return;
      }
    },
  };
}
