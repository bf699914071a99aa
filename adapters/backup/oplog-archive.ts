/** The oplog's archive in the bucket: eras, their manifests in order, and segments that are checked before they are used. */
import type { OplogManifest } from "../../core/backup/documents.ts";
import { oplogKeys, oplogPrefix } from "../../core/backup/layout.ts";
import { assertContinues, type ChainedManifest, readOplogManifest } from "../../core/backup/oplog-chain.ts";
import { currentEraKey, type OplogEra } from "../../core/backup/oplog-era.ts";
import type { EraBounds } from "../../core/backup/span.ts";
import { documentsOf } from "../../core/bson/raw.ts";
import { RoundtripError } from "../../core/errors.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import { timeOfEntry } from "../../core/oplog/entry.ts";
import type { ObjectStore, OperationTime } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import { readJson } from "../state/json.ts";

/** The era that is being written, with the ETag to replace it by. */
export function readEra(store: ObjectStore): Promise<{ value: OplogEra; etag: string } | undefined> {
  return readJson<OplogEra>(store, currentEraKey);
}

/** Every era of which something is still kept, with where it begins and ends. Fails `logCorrupt` for one with a hole. */
export async function readEraBounds(store: ObjectStore): Promise<EraBounds[]> {
  const bounds: EraBounds[] = [];
  for (let era = await nextEra(store, ""); era; era = await nextEra(store, era)) {
    const numbers = await numbersOf(store, era);
    if (!numbers) continue;
    const [first, last] = await Promise.all([
      fetchManifest(store, era, numbers.first),
      fetchManifest(store, era, numbers.last),
    ]);
    bounds.push({
      era,
      source: first.manifest.source,
      after: first.manifest.after,
      last: last.manifest.last,
    });
  }
  return bounds;
}

/** The newest manifest of an era, or `undefined` while there is none. Fails `logCorrupt` for a hole or a torn one. */
export async function newestOplogManifest(
  store: ObjectStore,
  era: string,
): Promise<ChainedManifest | undefined> {
  const numbers = await numbersOf(store, era);
  return numbers && fetchManifest(store, era, numbers.last);
}

/**
 * The manifests of an era with entries in the range, in order: after `after`, before `limit`. Each is checked to continue
 * the one before it. Fails `logCorrupt`.
 */
export async function* oplogManifests(
  store: ObjectStore,
  era: string,
  { after, limit }: { readonly after: OperationTime; readonly limit: OperationTime },
): AsyncGenerator<OplogManifest> {
  const numbers = await numbersOf(store, era);
  if (!numbers) return;
  let number = await firstBehind(store, era, numbers, after);
  let before: ChainedManifest | undefined;
  for (; number <= numbers.last; number++) {
    const found = await fetchManifest(store, era, number);
    if (before) assertContinues(oplogKeys(era).manifest(number), before, found);
    if (compareTimes(found.manifest.first, limit) >= 0) return;
    yield found.manifest;
    before = found;
  }
}

/** The raw entries of a segment. Fails `logCorrupt` unless bytes, number, order and times are what its manifest says. */
export async function readSegment(
  store: ObjectStore,
  { segment, entries, first, last, after }: OplogManifest,
): Promise<Uint8Array[]> {
  const found = await store.get(segment.key);
  if (!found) throw corrupt(segment.key, "the object that its manifest names", "no such object");
  const sha256 = sha256Of(found.body);
  if (sha256 !== segment.sha256) throw corrupt(segment.key, `sha256 ${segment.sha256}`, sha256);
  let documents: Uint8Array[];
  try {
    documents = [...documentsOf(await Bun.zstdDecompress(found.body))];
  } catch (cause) {
    throw corrupt(segment.key, "entries of the oplog, compressed", (cause as Error).message, cause);
  }
  const times = documents.map(timeOfEntry);
  if (times.length !== entries) throw corrupt(segment.key, `${entries} entries`, String(times.length));
  const ordered = times.every((time, index) => compareTimes(times[index - 1] ?? after, time) < 0);
  const framed = compareTimes(times[0]!, first) === 0 && compareTimes(times.at(-1)!, last) === 0;
  if (!ordered || !framed)
    throw corrupt(
      segment.key,
      "entries in order, from the first to the last that its manifest names",
      "others",
    );
  return documents;
}

interface Numbers {
  readonly first: number;
  readonly last: number;
}

/** Manifests are contiguous from the oldest one kept: the newest is found by doubling and halving, not by listing days. */
async function numbersOf(store: ObjectStore, era: string): Promise<Numbers | undefined> {
  const keys = oplogKeys(era);
  const exists = async (number: number) => (await store.head(keys.manifest(number))) !== undefined;
  const first = await firstNumber(store, era);
  if (first === undefined) return undefined;
  let known = first;
  let step = 1;
  while (await exists(known + step)) {
    known += step;
    step *= 2;
  }
  for (step = Math.floor(step / 2); step >= 1; step = Math.floor(step / 2)) {
    if (await exists(known + step)) known += step;
  }
  for await (const { key } of store.list(keys.manifests, { startAfter: keys.manifest(known) })) {
    const next = keys.manifest(known + 1);
    if (key !== next) throw corrupt(next, "manifests without a hole", `no such object, and ${key} behind it`);
    known++;
  }
  return { first, last: known };
}

async function firstNumber(store: ObjectStore, era: string): Promise<number | undefined> {
  for await (const { key } of store.list(oplogKeys(era).manifests)) {
    return Number(/(\d+)\.json$/.exec(key)?.[1]);
  }
  return undefined;
}

/** The least number whose manifest has entries after a time. */
async function firstBehind(
  store: ObjectStore,
  era: string,
  numbers: Numbers,
  after: OperationTime,
): Promise<number> {
  let low = numbers.first;
  let high = numbers.last + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { manifest } = await fetchManifest(store, era, middle);
    if (compareTimes(manifest.last, after) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

async function nextEra(store: ObjectStore, era: string): Promise<string | undefined> {
  // `0` follows `/`: the first key that lies below no era up to this one.
  const startAfter = era === "" ? {} : { startAfter: `${oplogPrefix}${era}0` };
  for await (const { key } of store.list(oplogPrefix, startAfter)) {
    const [name = "", ...rest] = key.slice(oplogPrefix.length).split("/");
    if (rest.length > 0) return name;
  }
  return undefined;
}

async function fetchManifest(store: ObjectStore, era: string, number: number): Promise<ChainedManifest> {
  const key = oplogKeys(era).manifest(number);
  const found = await store.get(key);
  if (!found) throw corrupt(key, "manifests without a hole", "no such object");
  return readOplogManifest(key, found.body);
}

function corrupt(key: string, expected: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "logCorrupt",
      what: `read ${key} of the oplog's archive`,
      expected,
      got,
      wayOut:
        "restore the object's version that was written first; without it, restore to a time before it or from a later backup",
    },
    { cause },
  );
}
