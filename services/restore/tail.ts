import { readImages } from "../../adapters/mongo/images.ts";
import { readOplog } from "../../adapters/mongo/oplog.ts";
import { oplogWindow } from "../../adapters/mongo/replica-set.ts";
import { readJson } from "../../adapters/state/json.ts";
import {
  type LoadedTail,
  readTailLedger,
  type TailEntry,
  type TailImage,
  TailLedgerWriter,
} from "../../adapters/state/tail-ledger.ts";
import type { TailRule } from "../../core/apply/step.ts";
import { digestOf, shortKey } from "../../core/bson/digest.ts";
import type { RecordedTasks } from "../../core/failback/recorded-tasks.ts";
import type { OplogOperation } from "../../core/oplog/entry.ts";
import { tailRange } from "../../core/oplog/tail-range.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { Restore } from "./restore.ts";

/** Documents whose images are fetched with one query a side. */
const imagesMax = 100;

/**
 * The ledger of what MongoDB took and DMS never carried (invariants.md 17). Made once, before the first apply: MongoDB
 * is closed, so that its images are those of the block; DocumentDB's are those behind the fence.
 */
export async function openTail(restore: Restore, blockTime: OperationTime): Promise<LoadedTail> {
  const { service, failback } = restore;
  const found = await readTailLedger(service.store, failback.id);
  if (found) return found;
  await writeTail(restore, blockTime);
  const written = await readTailLedger(service.store, failback.id);
  if (!written) throw new Error("the tail's ledger was written and is not there");
  service.logger.info(
    { entries: written.header.entries, boundary: written.header.boundary },
    "tail recorded",
  );
  return written;
}

async function writeTail(restore: Restore, through: OperationTime): Promise<void> {
  const { service, failback, mongodb, namespaces } = restore;
  const tasks =
    (await readJson<RecordedTasks>(service.store, failback.keys.replicationTasks))?.value.tasks ?? [];
  const { first } = await oplogWindow(mongodb.client);
  const { from, boundary, carriedThrough } = tailRange(tasks, service.settings.tailMarginSeconds, first);
  const commands: string[] = [];
  // One entry a document, its last operation; the keys of a long tail are what memory holds.
  const documents = new Map<string, OplogOperation>();
  for await (const operation of readOplog(mongodb.client, {
    after: from,
    inclusive: true,
    through,
    namespaces,
  })) {
    if (operation.key !== undefined)
      documents.set(`${operation.namespace} ${shortKey(operation.key)}`, operation);
    else commands.push(`${operation.command ?? operation.kind} of ${operation.namespace}`);
    service.alive();
  }
  const ledger = new TailLedgerWriter(service.store, failback.id);
  for (const group of groupsOf(documents.values())) {
    service.signal.throwIfAborted();
    await ledger.add(await withImages(restore, group));
    service.alive();
  }
  await ledger.finish({ from, through, boundary, commands, carriedThrough });
}

/** Operations of one collection, a bounded number at a time. */
function* groupsOf(operations: Iterable<OplogOperation>): Generator<readonly OplogOperation[]> {
  const open = new Map<string, OplogOperation[]>();
  for (const operation of operations) {
    const group = open.get(operation.namespace) ?? [];
    open.set(operation.namespace, group);
    group.push(operation);
    if (group.length === imagesMax) {
      open.delete(operation.namespace);
      yield group;
    }
  }
  yield* open.values();
}

async function withImages(restore: Restore, group: readonly OplogOperation[]): Promise<TailEntry[]> {
  const { namespace } = group[0]!;
  const ids = group.map(({ id }) => id!);
  const [mongodb, documentdb] = await Promise.all([
    readImages(restore.mongodb.client, namespace, ids, "majority"),
    readImages(restore.documentdb.client, namespace, ids),
  ]);
  return group.map(({ id, key, kind, at }) => {
    const [own, other] = [mongodb.get(key!), documentdb.get(key!)];
    return {
      namespace,
      id: id!,
      operation: kind,
      at,
      ...(own && { mongodb: own }),
      ...(other && { documentdb: other }),
    };
  });
}

/** The ledger as the replay asks it. */
export function tailRuleOf({ images }: LoadedTail, policy: TailRule["policy"]): TailRule {
  const imageOf = (namespace: string, key: string) => images.get(namespace)?.get(shortKey(key));
  return {
    policy,
    of(namespace, key) {
      const image = imageOf(namespace, key);
      return image && (image.margin ? "margin" : "tail");
    },
    holds: (namespace, key, image) => imageOf(namespace, key)?.digest === digestOf(image),
    countIn: (namespace) => tailCount(images.get(namespace)),
  };
}

/** Documents DMS never carried, by its own word. */
export function tailCount(documents: ReadonlyMap<string, TailImage> | undefined): number {
  return [...(documents?.values() ?? [])].filter(({ margin }) => !margin).length;
}
