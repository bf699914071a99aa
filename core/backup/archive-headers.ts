/** The archive's own documents, read from raw BSON. Fields that a later mongodump may add are left alone. */
import { BsonError, BsonType, type Element, findElement, textIn } from "../bson/raw.ts";

export interface ArchiveHeader {
  readonly version: string;
  readonly serverVersion: string;
  readonly toolVersion: string;
}

export interface ListedCollection {
  readonly database: string;
  readonly name: string;
  /** Options and indexes as extended JSON; empty for the oplog. */
  readonly metadata: string;
  /** collection, view, timeseries. */
  readonly type: string;
}

export interface BlockHeader {
  readonly database: string;
  readonly name: string;
  /** Whether the collection ends here; `crc` is zero before. */
  readonly ends: boolean;
  readonly crc: bigint;
}

/** A document of the archive's own that lacks what it must have, or isn't BSON. */
export class HeaderError extends Error {
  constructor(
    readonly expected: string,
    readonly got: string,
  ) {
    super(`expected ${expected}, got ${got}`);
    this.name = "HeaderError";
  }
}

/** Fails with {@link HeaderError}, as do the others. */
export function readArchiveHeader(bytes: Uint8Array): ArchiveHeader {
  return {
    version: text(bytes, "version"),
    serverVersion: text(bytes, "server_version"),
    toolVersion: text(bytes, "tool_version"),
  };
}

export function readListedCollection(bytes: Uint8Array): ListedCollection {
  return {
    database: text(bytes, "db"),
    name: text(bytes, "collection"),
    metadata: text(bytes, "metadata"),
    // Tools before 100.4 name no type: they know no time series.
    type: field(bytes, "type") ? text(bytes, "type") : "",
  };
}

export function readBlockHeader(bytes: Uint8Array): BlockHeader {
  const database = text(bytes, "db");
  const name = text(bytes, "collection");
  const ends = field(bytes, "EOF");
  if (ends?.type !== BsonType.boolean || bytes[ends.valueStart]! > 1)
    throw new HeaderError("EOF, true or false, in a block's header", "none");
  const crc = field(bytes, "CRC");
  if (crc?.type !== BsonType.int64) throw new HeaderError("a CRC of 64 bits in a block's header", "none");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    database,
    name,
    ends: bytes[ends.valueStart] === 1,
    crc: view.getBigInt64(crc.valueStart, true),
  };
}

function text(bytes: Uint8Array, name: string): string {
  const element = field(bytes, name);
  const value = textIn(element);
  // mongorestore's decoder refuses a text without its zero byte, too.
  if (element && value !== undefined && bytes[element.valueEnd - 1] === 0) return value;
  throw new HeaderError(
    `text in ${name} of a document of the archive's own`,
    element ? "something else" : "none",
  );
}

function field(bytes: Uint8Array, name: string): Element | undefined {
  try {
    return findElement(bytes, name);
  } catch (cause) {
    if (cause instanceof BsonError) throw new HeaderError("a document of the archive's own", cause.message);
    throw cause;
  }
}
