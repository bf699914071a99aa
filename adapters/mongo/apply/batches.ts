import { type Namespace, splitNamespace } from "../../../core/apply/change.ts";
import type { Write } from "../../../core/apply/target.ts";
import { exceedsStatement, type StatementKind } from "./statements.ts";

/** One command: statements on one collection, each of another document. */
export interface Batch extends Namespace {
  readonly command: StatementKind;
  /** Statements are made when the batch is sent: until then a step's images are in memory once. */
  readonly writes: Write[];
  /** Of the images, about. */
  bytes: number;
}

/** Small enough that several connections share a step, and far below a message's 48 MB. */
const statementsMax = 1000;
const bytesMax = 1024 * 1024;

/** Deletes, among them those of what is then inserted anew. They run before the puts. */
export function deleteBatches(writes: readonly Write[]): Batch[] {
  const gone = writes.filter((write) => write.post === null || write.recreate || exceedsStatement(write));
  return batchesOf(gone, "delete");
}

/** Everything that is there afterwards. A document no update statement can hold is inserted as it is. */
export function putBatches(writes: readonly Write[]): Batch[] {
  const puts = writes.filter(({ post }) => post !== null);
  const large = puts.filter(exceedsStatement);
  const rest = large.length === 0 ? puts : puts.filter((write) => !exceedsStatement(write));
  return [...batchesOf(rest, "update"), ...batchesOf(large, "insert")];
}

function batchesOf(writes: readonly Write[], command: StatementKind): Batch[] {
  const batches: Batch[] = [];
  const open = new Map<string, Batch>();
  for (const write of writes) {
    const bytes = write.id.length + (write.post?.length ?? 0);
    let batch = open.get(write.namespace);
    if (!batch || batch.writes.length >= statementsMax || batch.bytes + bytes > bytesMax) {
      batch = {
        ...splitNamespace(write.namespace),
        command,
        writes: [],
        bytes: 0,
      };
      open.set(write.namespace, batch);
      batches.push(batch);
    }
    batch.writes.push(write);
    batch.bytes += bytes;
  }
  return batches;
}
