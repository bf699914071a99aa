/**
 * The two-way comparison behind a verdict (invariants.md 22, 23): every document of both sides, byte by byte, read from
 * both primaries. Shares nothing with the apply path, so that one mistake can't hide in both.
 */
import type { MongoClient } from "mongodb";
import {
  type Difference,
  type MatchCounts,
  Matcher,
  type Side,
  TooManyWaiting,
} from "../../core/verdict/matcher.ts";
import { RawScan } from "./raw-scan.ts";

export interface ComparedSide {
  readonly client: MongoClient;
  /** MongoDB reads with `majority`; DocumentDB's primary reads what is durable anyway. */
  readonly readConcern?: "majority";
}

export interface CompareOptions {
  readonly source: ComparedSide;
  readonly target: ComparedSide;
  readonly database: string;
  readonly collection: string;
  /** Memory for documents that wait for their partner, in bytes. Default 64 MiB. */
  readonly waitingBytesMax?: number;
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
  /** Called once for each document that is on one side only or differs. */
  readonly onDifference: (difference: Difference) => void;
  /** Documents read since the last call, both sides together. */
  readonly onProgress?: (documents: number) => void;
}

const defaultWaitingBytesMax = 64 * 1024 * 1024;
const partsMax = 4096;

/**
 * Compares one collection. Sides that sort `_id` alike are read once with next to no memory. When too many documents
 * wait for a partner (the sides sort differently, or miss very many), both are read again in parts by key, each part
 * within memory. Fails with what the driver throws; a collection that one side lacks is empty there.
 */
export async function compareCollection(options: CompareOptions): Promise<MatchCounts> {
  for (let parts = 1; parts <= partsMax; parts *= 4) {
    const counts = await inParts(options, parts);
    if (counts) return counts;
  }
  throw new Error(
    `${options.database}.${options.collection}: too many documents differ to list them in memory`,
  );
}

/** `undefined` when memory does not hold the first part. Differences are reported once their part is through. */
async function inParts(options: CompareOptions, count: number): Promise<MatchCounts | undefined> {
  const total: MatchCounts = { source: 0, target: 0, equal: 0, differing: 0 };
  for (let index = 0; index < count; index++) {
    const found: Difference[] = [];
    try {
      const counts = await onePass(options, found, count === 1 ? undefined : { index, count });
      total.source = counts.source;
      total.target = counts.target;
      total.equal += counts.equal;
      total.differing += counts.differing;
    } catch (error) {
      if (index === 0 && error instanceof TooManyWaiting) return undefined;
      throw error;
    }
    for (const difference of found) options.onDifference(difference);
  }
  return total;
}

async function onePass(
  options: CompareOptions,
  found: Difference[],
  part?: { index: number; count: number },
): Promise<MatchCounts> {
  const matcher = new Matcher({
    // Parts are of nearly one size: one a little above the first is no reason to begin anew.
    waitingBytesMax: (options.waitingBytesMax ?? defaultWaitingBytesMax) * (part && part.index > 0 ? 2 : 1),
    ...(part && { part }),
    difference: (difference) => found.push(difference),
  });
  await using source = scan(options, "source");
  await using target = scan(options, "target");
  const feed = async (side: Side, from: RawScan) => {
    const documents = await from.next();
    options.onProgress?.(documents.length);
    return () => matcher.add(side, documents);
  };
  while (matcher.wants("source") || matcher.wants("target")) {
    options.signal?.throwIfAborted();
    const reads = [
      ...(matcher.wants("source") ? [feed("source", source)] : []),
      ...(matcher.wants("target") ? [feed("target", target)] : []),
    ];
    for (const add of await Promise.all(reads)) add();
  }
  return matcher.finish();
}

function scan({ database, collection, batchSize, ...sides }: CompareOptions, side: Side): RawScan {
  const { client, readConcern } = sides[side];
  return new RawScan(client, {
    database,
    collection,
    sort: { _id: 1 },
    ...(readConcern && { readConcern }),
    ...(batchSize && { batchSize }),
  });
}
