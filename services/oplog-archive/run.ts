import type { MongoClient } from "mongodb";
import { readEra } from "../../adapters/backup/oplog-archive.ts";
import { isCursorLost, OplogPositionLost } from "../../adapters/mongo/oplog-tail.ts";
import { replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { statusKey } from "../../core/backup/layout.ts";
import { currentEraKey, type OplogSource } from "../../core/backup/oplog-era.ts";
import { words } from "../../core/backup/span.ts";
import { RoundtripError } from "../../core/errors.ts";
import { abortLater, PatientStore } from "../replication/patient-store.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { type ArchivePosition, beginEra, fencedBy, findArchivePosition } from "./position.ts";
import { ArchiveProgress } from "./progress.ts";
import { SegmentWriter } from "./segment-writer.ts";
import { Tail } from "./tail.ts";

export interface ArchiveParts {
  /** A new connection; the secret is read again each time. Fails `unavailable` and `denied`. */
  readonly connect: () => Promise<MongoClient>;
  /** Turns what the driver threw into words. */
  readonly failure: (error: unknown) => RoundtripError;
  /** From the first entry of a segment to its writing, ms. */
  readonly flushMs: number;
  /** Bytes of entries that fill a segment. */
  readonly flushBytes: number;
}

const pollMsMax = 500;
const reconnectMsMin = 250;
const reconnectMsMax = 10_000;
const eraCheckMs = 60_000;
/** A secret that is being renewed may be wrong for a while; longer than this it is for a person to mend. */
const deniedMsMax = 600_000;
/** After a signal S3 gets this long to take what is in hand; systemd waits a minute. */
const finishMsMax = 40_000;

/**
 * Archives the oplog until the signal fires, then writes what is in hand. It waits for MongoDB however long it is away,
 * as in a failback; its lag says so. Fails `fenced`, `denied`, `logCorrupt`, and as the store does.
 */
export async function archiveOplog(service: ServiceContext, parts: ArchiveParts): Promise<void> {
  service.status.bindTo(statusKey(service.name));
  const archive = new Archive(service, parts);
  try {
    await archive.run();
    await archive.progress.record("finished");
  } catch (error) {
    // One that is fenced is not the archive: the other one says how that is.
    if (error instanceof RoundtripError && error.kind !== "fenced")
      await archive.progress.record("failed", error);
    throw error;
  }
}

class Archive {
  readonly progress: ArchiveProgress;
  private readonly patient: PatientStore;
  /** Manifests this run has written. */
  private committed = 0;
  private wasFenced = false;
  /** Since when MongoDB has been refusing the login. */
  private deniedMs: number | undefined;
  private eraCheckedMs: number;

  constructor(
    private readonly service: ServiceContext,
    private readonly parts: ArchiveParts,
  ) {
    const { store, clock, logger, signal } = service;
    this.patient = new PatientStore({ store, clock, logger, giveUp: abortLater(signal, finishMsMax) });
    this.progress = new ArchiveProgress(service, () => this.patient.waiting > 0);
    this.eraCheckedMs = clock.monotonicMs();
  }

  async run(): Promise<void> {
    const { signal, logger } = this.service;
    let waitMs = reconnectMsMin;
    while (!signal.aborted) {
      const before = this.committed;
      try {
        await this.session();
      } catch (error) {
        if (this.mayGoOn(error)) continue;
        const failure = this.parts.failure(error);
        if (!this.mayPass(failure) && !isCursorLost(error)) throw failure;
        waitMs = this.committed > before ? reconnectMsMin : Math.min(waitMs * 2, reconnectMsMax);
        logger.warn({ got: failure.got }, "MongoDB or S3 does not answer; the archive goes on when it does");
        this.progress.waitsFor = failure.what;
        await this.pause(waitMs);
      }
    }
  }

  /** One connection: finds the place, follows the oplog until the signal or a fault. */
  private async session(): Promise<void> {
    const { service } = this;
    const before = await this.progress.meanwhile(findArchivePosition(service.store));
    if (before) this.progress.at(before);
    const client = await this.progress.meanwhile(this.parts.connect());
    try {
      const source = await replicaSetIdentity(client);
      this.deniedMs = undefined;
      let position = before;
      if (before?.era.source.replicaSetId !== source.replicaSetId)
        position = await beginEra(service, client, { source, before, reason: otherSet(source, before) });
      while (position && !service.signal.aborted) position = await this.era(client, source, position);
    } finally {
      await client.close().catch(() => {});
    }
  }

  /** Follows the oplog in one era; gives where the next one begins when the oplog has lost the place. */
  private async era(
    client: MongoClient,
    source: OplogSource,
    position: ArchivePosition,
  ): Promise<ArchivePosition | undefined> {
    const { service, parts, progress, patient } = this;
    const { store, clock, logger, run } = service;
    progress.at(position);
    const writer = new SegmentWriter({ store, patient, clock, run, position });
    const tail = new Tail({ client, writer, progress, clock, ...parts, onCommitted: () => this.committed++ });
    logger.info({ era: position.era.era, after: position.after }, "archiving");
    try {
      while (!service.signal.aborted) {
        await tail.poll();
        progress.waitsFor = "";
        await progress.turn();
        await this.assertOwnEra(position);
        await this.pause(Math.min(pollMsMax, parts.flushMs));
      }
      await tail.flush();
      return undefined;
    } catch (error) {
      // What was read before the fault is true, and nobody knows when MongoDB comes back.
      if (!isFenced(error)) await tail.flush();
      if (!(error instanceof OplogPositionLost)) throw error;
      const before = (await findArchivePosition(store)) ?? position;
      return beginEra(service, client, { source, before, reason: lostInWords(error) });
    }
  }

  /** Another archive may have begun an era: it would not meet this one at any manifest. */
  private async assertOwnEra(position: ArchivePosition): Promise<void> {
    const { clock, store, run } = this.service;
    if (clock.monotonicMs() - this.eraCheckedMs < eraCheckMs) return;
    this.eraCheckedMs = clock.monotonicMs();
    const current = (await readEra(store))?.value.era;
    if (current !== position.era.era)
      throw fencedBy(currentEraKey, run, `era ${current ?? "none"}, not ${position.era.era}`);
  }

  /**
   * Before its first manifest a run may lose to the last request of the one it replaces, which was still on its way when
   * that one died. It goes on once from what is there; an archive that lives fences it at the next manifest.
   */
  private mayGoOn(error: unknown): boolean {
    if (!isFenced(error) || this.committed > 0 || this.wasFenced) return false;
    this.wasFenced = true;
    this.service.logger.warn(
      { got: error.got },
      "another run wrote the next manifest; going on after it once",
    );
    return true;
  }

  private mayPass({ kind }: RoundtripError): boolean {
    if (kind !== "denied") return kind === "unavailable";
    const nowMs = this.service.clock.monotonicMs();
    this.deniedMs ??= nowMs;
    return nowMs - this.deniedMs < deniedMsMax;
  }

  private async pause(ms: number): Promise<void> {
    const { clock, signal } = this.service;
    await this.progress.meanwhile(clock.sleep(ms, signal).catch(() => {}));
  }
}

function isFenced(error: unknown): error is RoundtripError {
  return error instanceof RoundtripError && error.kind === "fenced";
}

function otherSet(source: OplogSource, before: ArchivePosition | undefined): string {
  return before
    ? `MongoDB is another replica set: ${source.replicaSetId}, before ${before.era.source.replicaSetId}`
    : "there was no archive";
}

function lostInWords({ after, found }: OplogPositionLost): string {
  return found
    ? `the oplog no longer holds ${words(after)}: its first entry behind it is ${words(found)}`
    : `the oplog ends before ${words(after)}: MongoDB was set back`;
}
