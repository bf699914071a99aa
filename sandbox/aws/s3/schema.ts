import type { Extent } from "./blobs.ts";
import type { ChecksumName } from "./checksums.ts";

/** One version of an object, or a delete marker. */
export interface ObjectVersion {
  readonly seq: number;
  readonly key: string;
  /** "null" where it was written without versioning. */
  readonly version: string;
  readonly latest: boolean;
  readonly marker: boolean;
  readonly size: number;
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly extents: readonly Extent[];
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksums: Readonly<Partial<Record<ChecksumName, string>>>;
  readonly checksumType: string;
  readonly tags: string;
}

export type NewVersion = Omit<ObjectVersion, "seq" | "version" | "latest" | "marker">;

export interface Row {
  seq: number;
  key: string;
  version: string;
  latest: number;
  marker: number;
  size: number;
  etag: string;
  modified: number;
  extents: string;
  headers: string;
  metadata: string;
  checksums: string;
  checksumType: string;
  tags: string;
}

export interface Bucket {
  readonly name: string;
  readonly created: number;
  readonly region: string;
  /** "", "Enabled" or "Suspended". */
  readonly versioning: string;
}

/** Conditions of a conditional write, checked in the same transaction that makes the object visible. */
export interface WriteConditions {
  readonly ifNoneMatch?: string;
  readonly ifMatch?: string;
}

export const schema = `
CREATE TABLE IF NOT EXISTS s3_buckets (name TEXT PRIMARY KEY, created INTEGER, region TEXT, versioning TEXT);
CREATE TABLE IF NOT EXISTS s3_settings (bucket TEXT, setting TEXT, body TEXT, type TEXT, PRIMARY KEY (bucket, setting));
CREATE TABLE IF NOT EXISTS s3_objects (seq INTEGER PRIMARY KEY AUTOINCREMENT, bucket TEXT, key TEXT, version TEXT,
  latest INTEGER, marker INTEGER, size INTEGER, etag TEXT, modified INTEGER, extents TEXT, headers TEXT,
  metadata TEXT, checksums TEXT, checksumType TEXT, tags TEXT);
CREATE UNIQUE INDEX IF NOT EXISTS s3_latest ON s3_objects (bucket, key) WHERE latest = 1;
CREATE INDEX IF NOT EXISTS s3_versions ON s3_objects (bucket, key, seq);
CREATE TABLE IF NOT EXISTS s3_uploads (id TEXT PRIMARY KEY, bucket TEXT, key TEXT, started INTEGER, headers TEXT,
  metadata TEXT, tags TEXT, checksum TEXT, checksumType TEXT);
CREATE TABLE IF NOT EXISTS s3_parts (upload TEXT, number INTEGER, etag TEXT, size INTEGER, extents TEXT, checksums TEXT,
  modified INTEGER, PRIMARY KEY (upload, number));`;

export function fromRow(row: Row): ObjectVersion {
  return {
    ...row,
    latest: row.latest === 1,
    marker: row.marker === 1,
    extents: JSON.parse(row.extents) as Extent[],
    headers: JSON.parse(row.headers) as Record<string, string>,
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    checksums: JSON.parse(row.checksums) as Partial<Record<ChecksumName, string>>,
  };
}
