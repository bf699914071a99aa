import { type MongoClient, MongoServerError } from "mongodb";
import type { Blocker, Collision, Definition, Target, Write } from "../../core/apply/target.ts";
import { documentIn, findElement } from "../../core/bson/raw.ts";
import type { Clock } from "../../core/ports.ts";
import { type Batch, deleteBatches, putBatches } from "./apply/batches.ts";
import { findBlockers } from "./apply/blockers.ts";
import { createCollection, dropCollection, readDefinition, renameCollection } from "./apply/definitions.ts";
import { Lanes, type StatementError } from "./apply/lanes.ts";

export interface MongoTargetOptions {
  readonly client: MongoClient;
  readonly clock: Clock;
  /** Writes on their way at a time. The client's pool should hold a few more. */
  readonly connections?: number;
  /** Resolves when it is recorded that the restore itself runs this command; its oplog entry names no session. */
  readonly declare: (
    namespace: string,
    command: "drop" | "renameCollection" | "createIndexes",
  ) => Promise<void>;
  readonly signal?: AbortSignal;
}

interface Refused {
  readonly write: Write;
  readonly error: StatementError;
}

const defaultConnections = 4;
const duplicateKey = new Set([11000, 11001, 12582]);
const immutableField = 66;
/** What a server refuses because of the document and its indexes, not because of its own state. */
const documentCodes = new Set([2, 9, 52, 53, 55, 56, 57, 121, 171, 10334, 16755, 16766, 17261, 17280, 17419]);

/** MongoDB as the replay's target: raw statements, several sessions, majority acknowledged (invariants.md 18, 19). */
export class MongoTarget implements Target {
  private readonly lanes: Lanes;

  constructor(private readonly options: MongoTargetOptions) {
    const { client, clock, connections, signal } = options;
    this.lanes = new Lanes(client, clock, connections ?? defaultConnections, signal);
  }

  /** To be recorded durably before the first write. */
  get sessionIds(): string[] {
    return this.lanes.sessionIds;
  }

  async write(writes: readonly Write[]): Promise<readonly Collision[]> {
    const refused = await this.writeOnce(writes);
    // The stored `_id` is equal and of another type (1, not 1.0): only a new document can take its place.
    const typed = refused.filter(({ error, write }) => error.code === immutableField && !write.recreate);
    if (typed.length === 0) return refused.map(collisionOf);
    const originals = new Map(typed.map(({ write }) => [{ ...write, recreate: true }, write]));
    const again = await this.writeOnce([...originals.keys()]);
    return [
      ...refused.filter((each) => !typed.includes(each)),
      ...again.map(({ write, error }) => ({ write: originals.get(write)!, error })),
    ].map(collisionOf);
  }

  private async writeOnce(writes: readonly Write[]): Promise<Refused[]> {
    await this.runAll(deleteBatches(writes));
    return this.runAll(putBatches(writes));
  }

  blockers(collision: Collision): Promise<readonly Blocker[]> {
    return findBlockers(this.options.client, collision);
  }

  definition(namespace: string): Promise<Definition | undefined> {
    return readDefinition(this.options.client, namespace);
  }

  async create(namespace: string, definition: Definition): Promise<void> {
    await this.options.declare(namespace, "createIndexes");
    await createCollection(this.options.client, namespace, definition);
  }

  async drop(namespace: string): Promise<void> {
    await this.options.declare(namespace, "drop");
    await dropCollection(this.options.client, namespace);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.options.declare(from, "renameCollection");
    await renameCollection(this.options.client, from, to);
  }

  private async runAll(batches: readonly Batch[]): Promise<Refused[]> {
    let failed = false;
    const results = await Promise.allSettled(
      batches.map(async (batch) => {
        try {
          const errors = await this.lanes.run(batch, () => failed);
          return errors.map((error) => ({ write: batch.writes[error.index]!, error }));
        } catch (error) {
          failed = true;
          throw error;
        }
      }),
    );
    const refused = results.flatMap((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
    const fatal = refused.find(({ error: { code } }) => !isOfDocument(code));
    if (fatal) throw new MongoServerError({ message: fatal.error.message, code: fatal.error.code });
    return refused;
  }
}

function isOfDocument(code: number): boolean {
  return duplicateKey.has(code) || code === immutableField || documentCodes.has(code);
}

function collisionOf({ write, error }: Refused): Collision {
  const keyValue = duplicateKey.has(error.code) ? documentIn(findElement(error.raw, "keyValue")) : undefined;
  return { write, message: error.message, ...(keyValue && { keyValue }) };
}
