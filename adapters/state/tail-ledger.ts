import { Timestamp } from "bson";
import { documentField, documentOf, textField } from "../../core/bson/build.ts";
import { digestOf, shortKey } from "../../core/bson/digest.ts";
import { documentKey } from "../../core/bson/equality-key.ts";
import {
  BsonType,
  documentIn,
  documentsOf,
  findElement,
  textIn,
  timestampIn,
  valueBytes,
} from "../../core/bson/raw.ts";
import { RoundtripError } from "../../core/errors.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { compareTimes } from "../../core/failback/recorded-tasks.ts";
import type { ObjectStore, OperationTime } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import { readJson, writeJson } from "./json.ts";

/** One document that MongoDB wrote between DMS's checkpoint and the block (invariants.md 17). */
export interface TailEntry {
  readonly namespace: string;
  /** `{_id: …}`. */
  readonly id: Uint8Array;
  /** i, u or d, of its last operation, and when. */
  readonly operation: string;
  readonly at: OperationTime;
  /** As MongoDB has it at the block, and DocumentDB behind the fence; `undefined` where it is not. */
  readonly mongodb?: Uint8Array;
  readonly documentdb?: Uint8Array;
}

/** `tail/ledger.json`, written last: without it the ledger is not complete. */
export interface TailHeader {
  readonly version: 1;
  readonly failbackId: string;
  /** The oplog was read from here (included) through the block. */
  readonly from: OperationTime;
  readonly through: OperationTime;
  /** As TailRange has it. */
  readonly carriedThrough: Readonly<Record<string, OperationTime>>;
  /** Where the range begins and why, for the verdict's notes. */
  readonly boundary: string;
  /** DDL that MongoDB took in that range, each naming command and collection. */
  readonly commands: readonly string[];
  readonly entries: number;
  readonly objects: readonly { readonly key: string; readonly sha256: string }[];
}

/** What is kept in memory of the ledger, by namespace and `shortKey`. */
export type TailImages = ReadonlyMap<string, ReadonlyMap<string, TailImage>>;

export interface TailImage {
  /** Of MongoDB's image; null when it has none. */
  readonly digest: string | null;
  /** Its last operation lies before DMS's checkpoint. */
  readonly margin: boolean;
}

export interface LoadedTail {
  readonly header: TailHeader;
  /** Only documents whose images differ: where they are equal nothing was left behind. */
  readonly images: TailImages;
}

/** Writes the ledger's objects one by one, then its header. */
export class TailLedgerWriter {
  private readonly objects: { key: string; sha256: string }[] = [];
  private entries = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly failbackId: string,
  ) {}

  async add(entries: readonly TailEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const body = Buffer.concat(entries.map(encode));
    const number = String(this.objects.length + 1).padStart(6, "0");
    const key = `${keysOf(this.failbackId).tail}${number}.bson`;
    await this.store.put(key, body);
    this.objects.push({ key, sha256: sha256Of(body) });
    this.entries += entries.length;
  }

  async finish(header: Omit<TailHeader, "version" | "failbackId" | "entries" | "objects">): Promise<void> {
    const { failbackId, objects, entries } = this;
    const whole: TailHeader = { version: 1, failbackId, ...header, entries, objects };
    await writeJson(this.store, headerKey(failbackId), whole);
  }
}

function headerKey(failbackId: string): string {
  return `${keysOf(failbackId).tail}ledger.json`;
}

/** The complete ledger, or `undefined` when it was not finished. Fails `logCorrupt` when an object is not what it was. */
export async function readTailLedger(
  store: ObjectStore,
  failbackId: string,
): Promise<LoadedTail | undefined> {
  const header = (await readJson<TailHeader>(store, headerKey(failbackId)))?.value;
  if (!header) return undefined;
  const images = new Map<string, Map<string, TailImage>>();
  for (const { key, sha256 } of header.objects) {
    const body = (await store.get(key))?.body;
    if (!body || sha256Of(body) !== sha256) throw torn(key, body);
    for (const document of documentsOf(body)) collect(document, header, images);
  }
  return { header, images };
}

function collect(
  document: Uint8Array,
  { carriedThrough }: TailHeader,
  images: Map<string, Map<string, TailImage>>,
): void {
  const mongodb = documentIn(findElement(document, "mongodb"));
  const documentdb = documentIn(findElement(document, "documentdb"));
  const digest = mongodb ? digestOf(mongodb) : null;
  if (digest === (documentdb ? digestOf(documentdb) : null)) return;
  const namespace = textIn(findElement(document, "ns")) ?? "";
  const documents = images.get(namespace) ?? new Map<string, TailImage>();
  images.set(namespace, documents);
  const at = timestampIn(findElement(document, "ts"));
  const carried = carriedThrough[namespace] ?? carriedThrough["*"];
  const margin = carried !== undefined && at !== undefined && compareTimes(at, carried) <= 0;
  documents.set(shortKey(documentKey(document) ?? ""), { digest, margin });
}

function encode(entry: TailEntry): Uint8Array {
  const id = findElement(entry.id, "_id")!;
  const at = new Timestamp(entry.at);
  const time = Buffer.alloc(8);
  time.writeUInt32LE(at.getLowBitsUnsigned(), 0);
  time.writeUInt32LE(at.getHighBitsUnsigned(), 4);
  return documentOf([
    textField("ns", entry.namespace),
    { name: "_id", type: id.type, value: valueBytes(id) },
    textField("op", entry.operation),
    { name: "ts", type: BsonType.timestamp, value: time },
    documentField("mongodb", entry.mongodb),
    documentField("documentdb", entry.documentdb),
  ]);
}

function torn(key: string, body: Uint8Array | undefined): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `read the tail's ledger ${key}`,
    expected: "the bytes its header names by sha256",
    got: body ? `${body.length} other bytes` : "no such object",
    wayOut: "restore the object's version from the bucket: without it what MongoDB had is not known",
  });
}
