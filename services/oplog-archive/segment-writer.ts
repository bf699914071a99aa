import { isPrecondition } from "../../adapters/store-error.ts";
import type { OplogManifest } from "../../core/backup/documents.ts";
import { oplogKeys, oplogTags } from "../../core/backup/layout.ts";
import { encodeOplogManifest } from "../../core/backup/oplog-chain.ts";
import type { OplogEra } from "../../core/backup/oplog-era.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Clock, ObjectStore, OperationTime } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import type { PatientStore } from "../replication/patient-store.ts";
import { type ArchivePosition, fencedBy } from "./position.ts";

const zstdLevel = 3;

export interface SegmentWriterOptions {
  readonly store: ObjectStore;
  readonly patient: PatientStore;
  readonly clock: Clock;
  readonly run: string;
  readonly position: ArchivePosition;
}

/** What one flush holds: entries in their order, the first and last of them. */
export interface Entries {
  readonly raw: readonly Uint8Array[];
  readonly first: OperationTime;
  readonly last: OperationTime;
}

/**
 * Writes the archive: first the segment, then the manifest that makes it exist, at the next number and only there
 * (If-None-Match). That one request is commit, checkpoint and fence. While S3 takes nothing it waits and tries again.
 */
export class SegmentWriter {
  readonly era: OplogEra;
  /** The last entry archived. */
  after: OperationTime;
  number: number;
  private previous: string | undefined;

  constructor(private readonly options: SegmentWriterOptions) {
    const { era, after, number, sha256 } = options.position;
    this.era = era;
    this.after = after;
    this.number = number;
    this.previous = sha256;
  }

  /** Fails `fenced` when another archive wrote that number, and as the store does. */
  async write({ raw, first, last }: Entries): Promise<OplogManifest> {
    const { patient, clock, run } = this.options;
    const keys = oplogKeys(this.era.era);
    const number = this.number + 1;
    const content = Buffer.concat(raw);
    const segment = await this.writeSegment(keys.segment(number, last), content);
    const manifest: OplogManifest = {
      version: 1,
      era: this.era.era,
      number,
      source: this.era.source,
      after: this.after,
      first,
      last,
      entries: raw.length,
      segment,
      ...(this.previous ? { previous: this.previous } : {}),
      writtenAt: clock.now().toISOString(),
    };
    const { body, sha256 } = encodeOplogManifest(manifest);
    const key = keys.manifest(number);
    try {
      await patient.put(key, body, {
        ifNoneMatch: true,
        sha256,
        contentType: "application/json",
        tags: oplogTags,
      });
    } catch (error) {
      throw isPrecondition(error) ? fencedBy(key, run, "a manifest of another archive", error) : error;
    }
    this.number = number;
    this.previous = sha256;
    this.after = last;
    return manifest;
  }

  private async writeSegment(key: string, content: Uint8Array): Promise<OplogManifest["segment"]> {
    const body = await Bun.zstdCompress(content, { level: zstdLevel });
    const sha256 = sha256Of(body);
    try {
      await this.options.patient.put(key, body, {
        ifNoneMatch: true,
        sha256,
        contentType: "application/zstd",
        tags: oplogTags,
      });
      return { key, bytes: body.length, sha256 };
    } catch (error) {
      if (isPrecondition(error)) return this.sameSegment(key, content, error);
      throw error;
    }
  }

  /** Left by a run that died before its manifest: the same entries, perhaps compressed by another version. */
  private async sameSegment(
    key: string,
    content: Uint8Array,
    cause: unknown,
  ): Promise<OplogManifest["segment"]> {
    const found = await this.options.store.get(key);
    const held = found && (await Bun.zstdDecompress(found.body).catch(() => undefined));
    if (found && held && Buffer.compare(held, content) === 0)
      return { key, bytes: found.body.length, sha256: sha256Of(found.body) };
    throw new RoundtripError(
      {
        kind: "logCorrupt",
        what: `write ${key} of the oplog's archive`,
        expected: "no object there, or one with the same entries",
        got: "an object with others",
        wayOut:
          "see in CloudTrail who wrote it; delete it when no manifest names it, then start the unit again",
      },
      { cause },
    );
  }
}
