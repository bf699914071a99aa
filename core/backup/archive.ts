/**
 * Reads mongodump's archive (`--archive`, format 0.1) as a stream, and says what is in it.
 *
 *     prelude   magic number, a header, a document for each collection (options and indexes), a terminator
 *     blocks    {db, collection, EOF: false, CRC: 0}, documents of that collection, a terminator; collections that are
 *               dumped at the same time take turns
 *     ends      {db, collection, EOF: true, CRC: of all the collection's documents}, a terminator; one a collection
 *
 * The oplog (`--oplog`) is a collection without a database. A view has a block and an end without documents. The documents
 * of a time series lie in `system.buckets.<name>`. As mongo-tools' common/archive has it.
 */
import { BsonError, findElement, timestampIn } from "../bson/raw.ts";
import type { RoundtripError } from "../errors.ts";
import type { OperationTime } from "../ports.ts";
import { FrameCutter } from "./archive-frames.ts";
import {
  type ArchiveHeader,
  HeaderError,
  type ListedCollection,
  readArchiveHeader,
  readBlockHeader,
  readListedCollection,
} from "./archive-headers.ts";
import { ContentDigest } from "./content-digest.ts";
import { Crc64 } from "./crc64.ts";
import type { DumpedCollection } from "./documents.ts";

const supportedVersion = "0.1";
const bucketsPrefix = "system.buckets.";
const oplogNamespace = namespaceOf({ database: "", name: "oplog" });

export interface ArchiveContent {
  /** Of the whole archive, uncompressed. */
  readonly bytes: number;
  readonly serverVersion: string;
  readonly toolVersion: string;
  /** Every collection and view but the oplog, in order of database and name. */
  readonly collections: readonly DumpedCollection[];
  /** Absent when it was dumped without `--oplog`; `last` absent when nothing was written meanwhile. */
  readonly oplog?: { readonly entries: number; readonly last?: OperationTime };
}

interface Content {
  readonly namespace: string;
  readonly crc: Crc64;
  readonly digest: ContentDigest;
  documents: number;
  bytes: number;
  ended: boolean;
}

/** Push the archive's bytes in their order, in pieces of any size, then ask for its content once. */
export class ArchiveReader {
  private readonly cutter: FrameCutter;
  private header: ArchiveHeader | undefined;
  private inPrelude = true;
  private readonly listed = new Map<string, ListedCollection>();
  private readonly contents = new Map<string, Content>();
  /** Whose block is open; "end" within the one that ends a collection. */
  private block: Content | "end" | undefined;
  private oplogLast: OperationTime | undefined;
  private documentsRead = 0;

  /** @param what for messages: what is read, as in `archive backups/dumps/…` */
  constructor(what: string) {
    this.cutter = new FrameCutter(what, {
      document: (bytes, at) => this.document(bytes, at),
      terminator: (at) => this.terminator(at),
    });
  }

  /** Fails `logCorrupt` at the first byte that can't be. The chunk may be used again afterwards. */
  push(chunk: Uint8Array): void {
    this.cutter.push(chunk);
  }

  /** Documents so far, the oplog's among them, for a display of progress. */
  get documents(): number {
    return this.documentsRead;
  }

  /** Fails `logCorrupt` when the archive isn't whole: a block open, a collection without its end. */
  end(): ArchiveContent {
    const bytes = this.cutter.end();
    if (this.inPrelude || !this.header) throw this.cutter.failure("the list of collections", "the end");
    if (this.block) throw this.cutter.failure("the end of a block", "the end of the archive");
    const collections = [...this.listed.values()].map((one) => this.dumped(one));
    const oplog = this.contents.get(oplogNamespace);
    return {
      bytes,
      serverVersion: this.header.serverVersion,
      toolVersion: this.header.toolVersion,
      collections: collections.filter((one) => namespaceOf(one) !== oplogNamespace).sort(inOrder),
      ...(oplog && {
        oplog: { entries: oplog.documents, ...(this.oplogLast && { last: this.oplogLast }) },
      }),
    };
  }

  private dumped(listed: ListedCollection): DumpedCollection {
    const { database, metadata } = listed;
    const name = this.placeOf(listed);
    const content = this.contents.get(namespaceOf({ database, name }));
    if (!content?.ended) {
      throw this.cutter.failure(
        `the end of ${namespaceOf({ database, name })}`,
        "an archive that ends without it",
      );
    }
    const { documents, bytes, digest } = content;
    return { database, name, documents, bytes, content: String(digest), metadata };
  }

  /** The collection whose blocks hold the documents. Servers from 8.3 on keep a time series under its own name. */
  private placeOf({ database, name, type }: ListedCollection): string {
    const buckets = bucketsPrefix + name;
    return type === "timeseries" && this.contents.has(namespaceOf({ database, name: buckets }))
      ? buckets
      : name;
  }

  private document(bytes: Uint8Array, at: number): void {
    if (typeof this.block === "object") {
      this.body(this.block, bytes, at);
      return;
    }
    try {
      if (!this.header) this.archiveHeader(bytes, at);
      else if (this.inPrelude) this.listedCollection(bytes, at);
      else if (this.block === undefined) this.blockHeader(bytes, at);
      else throw new HeaderError("a terminator after the end of a collection", "a document");
    } catch (cause) {
      if (!(cause instanceof HeaderError)) throw cause;
      throw this.cutter.failure(cause.expected, cause.got, at);
    }
  }

  private terminator(at: number): void {
    if (this.inPrelude && this.header) this.inPrelude = false;
    else if (!this.inPrelude && this.block) this.block = undefined;
    else throw this.cutter.failure("a header", "a terminator", at);
  }

  private body(content: Content, bytes: Uint8Array, at: number): void {
    content.crc.add(bytes);
    content.digest.add(bytes);
    content.documents++;
    content.bytes += bytes.length;
    this.documentsRead++;
    if (content.namespace === oplogNamespace) this.oplogLast = this.timeOf(bytes, at);
  }

  private timeOf(entry: Uint8Array, at: number): OperationTime {
    try {
      const time = timestampIn(findElement(entry, "ts"));
      if (time) return time;
    } catch (cause) {
      if (!(cause instanceof BsonError)) throw cause;
      throw this.cutter.failure("an entry of the oplog", cause.message, at);
    }
    throw this.cutter.failure("a timestamp in ts of the oplog's entry", "none", at);
  }

  private archiveHeader(bytes: Uint8Array, at: number): void {
    const header = readArchiveHeader(bytes);
    if (header.version !== supportedVersion) {
      throw this.cutter.failure(`an archive of format ${supportedVersion}`, `format ${header.version}`, at);
    }
    this.header = header;
  }

  private listedCollection(bytes: Uint8Array, at: number): void {
    const collection = readListedCollection(bytes);
    const namespace = namespaceOf(collection);
    if (this.listed.has(namespace)) {
      throw this.cutter.failure("each collection once in the list", `${namespace} again`, at);
    }
    this.listed.set(namespace, collection);
  }

  private blockHeader(bytes: Uint8Array, at: number): void {
    const header = readBlockHeader(bytes);
    const content = this.contentOf(header, at);
    if (content.ended) {
      throw this.cutter.failure(`nothing more of ${content.namespace}`, "another block of it", at);
    }
    const expected = header.ends ? content.crc.value() : 0n;
    if (header.crc !== expected) throw this.crcFailure(content, header.ends, header.crc, at);
    content.ended = header.ends;
    this.block = header.ends ? "end" : content;
  }

  private contentOf(header: { database: string; name: string }, at: number): Content {
    const namespace = namespaceOf(header);
    const known = this.contents.get(namespace);
    if (known) return known;
    if (!this.listed.has(namespace) && !this.isBucketsOfListed(header)) {
      throw this.cutter.failure("a collection that the archive's list names", namespace, at);
    }
    const content = {
      namespace,
      crc: new Crc64(),
      digest: new ContentDigest(),
      documents: 0,
      bytes: 0,
      ended: false,
    };
    this.contents.set(namespace, content);
    return content;
  }

  private isBucketsOfListed({ database, name }: { database: string; name: string }): boolean {
    if (!name.startsWith(bucketsPrefix)) return false;
    const series = this.listed.get(namespaceOf({ database, name: name.slice(bucketsPrefix.length) }));
    return series?.type === "timeseries";
  }

  private crcFailure(content: Content, ends: boolean, got: bigint, at: number): RoundtripError {
    const { namespace, documents, crc } = content;
    const expected = ends
      ? `CRC ${crc.value()} of the ${documents} documents of ${namespace}`
      : `no CRC before the end of ${namespace}`;
    return this.cutter.failure(expected, `CRC ${got} in the archive`, at);
  }
}

function namespaceOf({ database, name }: { database: string; name: string }): string {
  return `${database}.${name}`;
}

function inOrder(a: DumpedCollection, b: DumpedCollection): number {
  if (a.database !== b.database) return a.database < b.database ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
