import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { AwsError } from "../service.ts";
import type { Blobs, Extent } from "./blobs.ts";
import {
  type Bucket,
  fromRow,
  type NewVersion,
  type ObjectVersion,
  type Row,
  schema,
  type WriteConditions,
} from "./schema.ts";

/** Buckets and object versions in sqlite. A version is visible only once its row is committed; its bytes are there before. */
export class Store {
  /** Conditional writes under way, by bucket and key: a delete meanwhile makes S3 answer 409. */
  private unnamed: Extent[] = [];
  private readonly conditional = new Map<string, Set<{ deleted: boolean }>>();

  constructor(
    readonly db: Database,
    readonly blobs: Blobs,
  ) {
    db.run(schema);
    const named = db
      .query<{ extents: string }, []>("SELECT extents FROM s3_objects UNION ALL SELECT extents FROM s3_parts")
      .all();
    blobs.removeUnnamed(
      new Set(named.flatMap((row) => (JSON.parse(row.extents) as Extent[]).map((extent) => extent.blob))),
    );
  }

  /**
   * Runs `change` in a transaction (or the one already open). Files no longer named are unlinked only after the
   * commit: a crash in between leaves a file too many, never an object without its bytes.
   */
  atomically<Result>(change: () => Result): Result {
    if (this.db.inTransaction) return change();
    this.unnamed = [];
    const result = this.db.transaction(change)();
    this.blobs.remove(this.unnamed);
    return result;
  }

  /** Has files removed when the transaction has committed. */
  removeAfterCommit(extents: readonly Extent[]): void {
    this.unnamed.push(...extents);
  }

  /** Throws NoSuchBucket. */
  bucket(name: string): Bucket {
    const bucket = this.db.query<Bucket, [string]>("SELECT * FROM s3_buckets WHERE name = ?").get(name);
    if (bucket === null)
      throw new AwsError("NoSuchBucket", "The specified bucket does not exist", 404, { BucketName: name });
    return bucket;
  }

  latest(bucket: string, key: string): ObjectVersion | undefined {
    const row = this.db
      .query<Row, [string, string]>("SELECT * FROM s3_objects WHERE bucket = ? AND key = ? AND latest = 1")
      .get(bucket, key);
    return row === null ? undefined : fromRow(row);
  }

  version(bucket: string, key: string, version: string): ObjectVersion | undefined {
    const row = this.db
      .query<Row, [string, string, string]>(
        "SELECT * FROM s3_objects WHERE bucket = ? AND key = ? AND version = ?",
      )
      .get(bucket, key, version);
    return row === null ? undefined : fromRow(row);
  }

  /** Latest versions that aren't delete markers, keys above `after` (or from it, `inclusive`), in UTF-8 binary order. */
  page(bucket: string, after: string, inclusive: boolean, limit: number): ObjectVersion[] {
    const compare = inclusive ? ">=" : ">";
    return this.db
      .query<Row, [string, string, number]>(
        `SELECT * FROM s3_objects WHERE bucket = ? AND key ${compare} ? AND latest = 1 AND marker = 0 ORDER BY key LIMIT ?`,
      )
      .all(bucket, after, limit)
      .map(fromRow);
  }

  /** All versions, keys from `key` on; of `key` itself only those below `seq`. Newest first within a key. */
  versionPage(bucket: string, key: string, seq: number, limit: number): ObjectVersion[] {
    return this.db
      .query<Row, [string, string, string, number, number]>(
        "SELECT * FROM s3_objects WHERE bucket = ? AND (key > ? OR (key = ? AND seq < ?)) ORDER BY key, seq DESC LIMIT ?",
      )
      .all(bucket, key, key, seq, limit)
      .map(fromRow);
  }

  /** Starts watching for deletes of a key that a conditional write is about; `end` it in every case. */
  beginConditional(bucket: string, key: string): { readonly deleted: boolean; end(): void } {
    const id = `${bucket}/${key}`;
    const watchers = this.conditional.get(id) ?? new Set();
    const watcher = {
      deleted: false,
      end: () => {
        watchers.delete(watcher);
        if (watchers.size === 0) this.conditional.delete(id);
      },
    };
    watchers.add(watcher);
    this.conditional.set(id, watchers);
    return watcher;
  }

  /**
   * Makes a new version the latest, in one transaction with its conditions.
   * Throws PreconditionFailed 412, NoSuchKey 404 (If-Match without an object), ConditionalRequestConflict 409.
   */
  put(
    bucket: Bucket,
    next: NewVersion,
    conditions: WriteConditions,
    deletedMeanwhile: boolean,
  ): ObjectVersion {
    return this.atomically(() => {
      this.check(bucket.name, next.key, conditions, deletedMeanwhile);
      return this.insert(bucket, next, false);
    });
  }

  private check(bucket: string, key: string, conditions: WriteConditions, deletedMeanwhile: boolean): void {
    const { ifMatch, ifNoneMatch } = conditions;
    if (ifMatch === undefined && ifNoneMatch === undefined) return;
    if (deletedMeanwhile) {
      throw new AwsError(
        "ConditionalRequestConflict",
        "The conditional request cannot succeed due to a conflicting operation against this resource.",
        409,
      );
    }
    const latest = this.latest(bucket, key);
    const current = latest?.marker === false ? latest : undefined;
    const failed = (condition: string) =>
      new AwsError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        412,
        { Condition: condition },
      );
    if (ifNoneMatch !== undefined && current !== undefined) throw failed("If-None-Match");
    if (ifMatch === undefined) return;
    if (current === undefined)
      throw new AwsError("NoSuchKey", "The specified key does not exist.", 404, { Key: key });
    if (ifMatch.replaceAll('"', "") !== current.etag) throw failed("If-Match");
  }

  private insert(bucket: Bucket, next: NewVersion, marker: boolean): ObjectVersion {
    const version = bucket.versioning === "Enabled" ? randomBytes(24).toString("base64url") : "null";
    if (version === "null") this.drop(bucket.name, next.key, "null");
    this.db.run("UPDATE s3_objects SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1", [
      bucket.name,
      next.key,
    ]);
    const { lastInsertRowid } = this.db
      .query(
        `INSERT INTO s3_objects (bucket, key, version, latest, marker, size, etag, modified, extents, headers, metadata,
          checksums, checksumType, tags) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        bucket.name,
        next.key,
        version,
        marker ? 1 : 0,
        next.size,
        next.etag,
        next.modified,
        JSON.stringify(next.extents),
        JSON.stringify(next.headers),
        JSON.stringify(next.metadata),
        JSON.stringify(next.checksums),
        next.checksumType,
        next.tags,
      );
    return { ...next, seq: Number(lastInsertRowid), version, latest: true, marker };
  }

  /** Removes one version's row and its files; gives it, or undefined where there was none. */
  private drop(bucket: string, key: string, version: string): ObjectVersion | undefined {
    const old = this.version(bucket, key, version);
    if (old === undefined) return undefined;
    this.db.run("DELETE FROM s3_objects WHERE seq = ?", [old.seq]);
    this.removeAfterCommit(old.extents);
    return old;
  }

  /** DeleteObject: a marker on a versioned bucket, else the object; one version where given. Nothing there is success. */
  delete(
    bucket: Bucket,
    key: string,
    version: string | undefined,
    now: number,
  ): { version?: string; marker: boolean } {
    for (const watcher of this.conditional.get(`${bucket.name}/${key}`) ?? []) watcher.deleted = true;
    return this.atomically(() => {
      if (version !== undefined) {
        const old = this.drop(bucket.name, key, version);
        if (old?.latest === true) this.promote(bucket.name, key);
        return { version, marker: old?.marker ?? false };
      }
      if (bucket.versioning === "") {
        this.drop(bucket.name, key, "null");
        return { marker: false };
      }
      const empty = {
        size: 0,
        etag: "",
        extents: [],
        headers: {},
        metadata: {},
        checksums: {},
        checksumType: "",
        tags: "",
      };
      const marker = this.insert(bucket, { ...empty, key, modified: now }, true);
      return { version: marker.version, marker: true };
    });
  }

  private promote(bucket: string, key: string): void {
    this.db.run(
      `UPDATE s3_objects SET latest = 1 WHERE seq = (SELECT max(seq) FROM s3_objects WHERE bucket = ? AND key = ?)`,
      [bucket, key],
    );
  }

  setTags(seq: number, tags: string): void {
    this.db.run("UPDATE s3_objects SET tags = ? WHERE seq = ?", [tags, seq]);
  }

  setting(bucket: string, setting: string): { body: string; type: string } | undefined {
    return (
      this.db
        .query<{ body: string; type: string }, [string, string]>(
          "SELECT body, type FROM s3_settings WHERE bucket = ? AND setting = ?",
        )
        .get(bucket, setting) ?? undefined
    );
  }
}
