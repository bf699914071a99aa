import { isPrecondition } from "../../adapters/store-error.ts";
import type { Flush, FlushObject } from "../../core/changes/flush.ts";
import { manifestOf } from "../../core/changes/flush-manifest.ts";
import { keyNameOf } from "../../core/changes/key-name.ts";
import type { Manifest, ManifestObject } from "../../core/changes/manifest.ts";
import { type ChainHead, encodeManifest, parseManifest } from "../../core/changes/manifest-chain.ts";
import { RoundtripError } from "../../core/errors.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { Clock, ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import { joined } from "./arena.ts";
import type { PatientStore } from "./patient-store.ts";

export interface LogWriterOptions {
  readonly store: ObjectStore;
  readonly patient: PatientStore;
  readonly clock: Clock;
  readonly failbackId: string;
  readonly writer: Manifest["writer"];
  readonly head: ChainHead;
  readonly compression: "none" | "zstd";
  /** Bytes of events in flushes that are on their way; one flush is always let through. */
  readonly bytesInFlightMax: number;
  /** Called after each manifest is durable, in order. */
  readonly onCommitted: (committed: Committed) => void;
}

export interface Committed {
  readonly manifest: Manifest;
  readonly sha256: string;
  readonly bytes: number;
}

/** The quickest level: on change events the next ones save little more. */
const zstdLevel = 1;
const flushesInFlightMax = 8;
const putsAtATime = 16;

/**
 * Writes flushes to the log: all objects of a flush, then its manifest (invariants.md 7). Objects of later flushes go up
 * meanwhile, but manifest n + 1 is written only after n is durable, so what readers see is always a whole prefix.
 */
export class LogWriter {
  private head: ChainHead;
  private nextNumber: number;
  private tail: Promise<void> = Promise.resolve();
  private bytesInFlight = 0;
  private flushesInFlight = 0;
  private puts = 0;
  private readonly waitingPuts: (() => void)[] = [];
  /** What ended the writing. */
  failure: { readonly error: unknown } | undefined;
  /** Called when a flush has left the pipeline, or the writing failed. */
  onChange = () => {};

  constructor(private readonly options: LogWriterOptions) {
    this.head = options.head;
    this.nextNumber = options.head.number + 1;
  }

  get inFlight(): { flushes: number; bytes: number } {
    return { flushes: this.flushesInFlight, bytes: this.bytesInFlight };
  }

  /** S3 refused a put that is being tried again. */
  get isRetrying(): boolean {
    return this.options.patient.waiting > 0;
  }

  /** True while another flush of this size has to wait. */
  isFull(bytes: number): boolean {
    if (this.flushesInFlight === 0) return false;
    return (
      this.flushesInFlight >= flushesInFlightMax || this.bytesInFlight + bytes > this.options.bytesInFlightMax
    );
  }

  /** Starts writing a flush. `release` is called when its events' bytes are no longer needed, whatever happened. */
  add(flush: Flush, release: () => void = () => {}): void {
    const number = this.nextNumber++;
    this.flushesInFlight++;
    this.bytesInFlight += flush.bytes;
    const objects = Promise.all(flush.objects.map((object) => this.writeObject(object)));
    objects.catch(() => {});
    const before = this.tail;
    this.tail = before.then(async () => {
      try {
        if (this.failure) return;
        await this.commit(number, flush, await objects);
      } catch (error) {
        this.failure ??= { error };
      } finally {
        // Uploads that still run after a failure read their bytes to the end.
        await objects.catch(() => {});
        release();
        this.flushesInFlight--;
        this.bytesInFlight -= flush.bytes;
        this.onChange();
      }
    });
  }

  /** Resolves when everything added is durable; fails with what ended the writing. */
  async drained(): Promise<void> {
    await this.tail;
    if (this.failure) throw this.failure.error;
  }

  private async commit(number: number, flush: Flush, objects: ManifestObject[]): Promise<void> {
    const { failbackId, writer, clock } = this.options;
    const manifest = manifestOf(flush, objects, {
      failbackId,
      number,
      previousSha256: this.head.sha256,
      writer,
      writtenAt: clock.now().toISOString(),
    });
    const { body, sha256 } = encodeManifest(manifest);
    const key = keysOf(failbackId).manifest(number);
    try {
      await this.options.patient.put(key, body, { ifNoneMatch: true, contentType: "application/json" });
    } catch (error) {
      throw isPrecondition(error) ? await this.fencedBy(key, error) : error;
    }
    this.head = { number, sha256, lastSequence: flush.lastSequence };
    this.options.onCommitted({ manifest, sha256, bytes: flush.bytes });
  }

  private async writeObject(object: FlushObject): Promise<ManifestObject> {
    const { compression, failbackId, writer } = this.options;
    const { database, collection, kind, sequences, first } = object;
    const { events } = object;
    const raw = joined(object.parts);
    const name = keyNameOf({ database, collection, ...first });
    await this.startPut();
    try {
      const body = compression === "zstd" ? await Bun.zstdCompress(raw, { level: zstdLevel }) : raw;
      const sha256 = sha256Of(body);
      const prefix = keysOf(failbackId).log;
      let key = `${prefix}${name}`;
      try {
        await this.putNew(key, body, sha256);
      } catch (error) {
        if (!isPrecondition(error)) throw error;
        // Left by a run that died before its manifest, with another cut of events or later lookups. It stays as it
        // is: a capture that still lives might be about to commit it.
        key = `${prefix}${keyNameOf({ database, collection, ...first, run: writer.run })}`;
        await this.putNew(key, body, sha256);
      }
      return {
        key,
        database,
        collection,
        events,
        sequences,
        bytes: body.length,
        sha256,
        compression,
        ...(compression === "zstd" ? { rawBytes: raw.length } : {}),
        kind,
      };
    } finally {
      this.endPut();
    }
  }

  private async putNew(key: string, body: Uint8Array, sha256: string): Promise<void> {
    await this.options.patient.put(key, body, { ifNoneMatch: true, contentType: "application/bson", sha256 });
  }

  private async startPut(): Promise<void> {
    if (this.puts < putsAtATime) this.puts++;
    else await new Promise<void>((resolve) => this.waitingPuts.push(resolve));
  }

  private endPut(): void {
    const next = this.waitingPuts.shift();
    if (next) next();
    else this.puts--;
  }

  /** Says who wrote the manifest that this capture wanted to write. */
  private async fencedBy(key: string, cause: unknown): Promise<RoundtripError> {
    const found = await this.options.store.get(key);
    const other = found && parseManifest(key, found.body).writer;
    return new RoundtripError(
      {
        kind: "fenced",
        what: `commit the log's manifest ${key} as run ${this.options.writer.run}`,
        expected: "to be the only capture of this failback",
        got: other ? `a manifest of host ${other.host}, run ${other.run}` : "a manifest that is gone again",
        wayOut:
          "another capture runs: leave it, or stop it and start this one again. Nothing was lost or written twice",
      },
      { cause },
    );
  }
}
