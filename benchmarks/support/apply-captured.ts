import type { MongoClient } from "mongodb";
import { operationTime } from "../../adapters/mongo/replica-set.ts";
import { ConflictLedger } from "../../adapters/state/conflict-ledger.ts";
import { RestoreCheckpoint, RestoreOrigins } from "../../adapters/state/restore-state.ts";
import { noTail } from "../../core/apply/step.ts";
import type { Manifest } from "../../core/changes/manifest.ts";
import type { Fence } from "../../core/failback/documents.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { applyLog } from "../../services/restore/apply-log.ts";
import { ForeignWrites } from "../../services/restore/foreign-writes.ts";
import type { Restore } from "../../services/restore/restore.ts";
import type { TestCapture } from "../../tests/support/capture-context.ts";

/** Applies a captured log from its beginning through a manifest, as restore does. */
export async function applyCaptured(
  client: MongoClient,
  store: ObjectStore,
  { context: service, failback }: TestCapture,
  through: Manifest,
): Promise<void> {
  await store.delete([failback.keys.restoreCheckpoint, failback.keys.restoreSessions]);
  const server = { client, failure: (error: unknown) => error } as unknown as Restore["mongodb"];
  const namespaces = ["shop.orders", "shop.customers"];
  const fence = { number: 1 } as Fence;
  // What an earlier run of the benchmark wrote is no foreign write.
  const closedAt = await operationTime(client);
  const restore: Restore = { service, failback, mongodb: server, documentdb: server, fence, namespaces };
  const origins = await RestoreOrigins.open(store, failback.id);
  await applyLog(restore, {
    checkpoint: await RestoreCheckpoint.open(store, service.clock, failback.id, "documentdb"),
    origins,
    conflicts: new ConflictLedger(store, failback.id),
    foreign: new ForeignWrites(restore, origins, closedAt),
    tail: noTail,
    throughManifest: through.number,
    lastSequence: through.lastSequence,
    marked: [],
  });
}
