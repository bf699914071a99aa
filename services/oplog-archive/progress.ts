import { writeJson } from "../../adapters/state/json.ts";
import type { OplogRun } from "../../core/backup/documents.ts";
import { runKey } from "../../core/backup/layout.ts";
import { words } from "../../core/backup/span.ts";
import type { RoundtripError } from "../../core/errors.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { ArchivePosition } from "./position.ts";

const reportMs = 500;
const turnMs = 1000;
const recordMs = 60_000;

/** What an archive says of itself: how far it is and how far behind, in its status and each minute in its run's document. */
export class ArchiveProgress {
  private readonly startedAt: string;
  private position: ArchivePosition | undefined;
  private lastArchived: OperationTime | undefined;
  /** Everything written before this moment is archived, in ms. */
  private coveredMs: number;
  private entries = 0;
  private bytes = 0;
  private segments = 0;
  private reportedMs = Number.NEGATIVE_INFINITY;
  private recordedMs: number;
  /** What does not answer at the moment; empty while all is well. */
  waitsFor = "MongoDB";

  constructor(
    private readonly service: ServiceContext,
    private readonly storeWaits: () => boolean,
  ) {
    const now = service.clock.now();
    this.startedAt = now.toISOString();
    this.coveredMs = now.getTime();
    // The first record tells of the start, once it is known where the archive stands.
    this.recordedMs = Number.NEGATIVE_INFINITY;
  }

  /** The archive goes on from there. */
  at(position: ArchivePosition): void {
    this.position = position;
    this.lastArchived = position.after;
    this.coveredMs = Math.min(this.coveredMs, Date.parse(position.writtenAt));
  }

  archived(last: OperationTime, entries: number, bytes: number): void {
    this.lastArchived = last;
    this.entries += entries;
    this.bytes += bytes;
    this.segments++;
    this.coveredMs = Math.max(this.coveredMs, last.t * 1000);
  }

  /** Nothing written before this moment, in ms, waits to be archived. */
  covered(ms: number): void {
    this.coveredMs = Math.max(this.coveredMs, ms);
  }

  get lagSeconds(): number {
    return Math.max(0, Math.round((this.service.clock.now().getTime() - this.coveredMs) / 1000));
  }

  /** Pings the watchdog; reports and records when it is time. */
  async turn(): Promise<void> {
    const { clock, alive } = this.service;
    alive();
    const nowMs = clock.monotonicMs();
    if (nowMs - this.reportedMs >= reportMs) {
      this.reportedMs = nowMs;
      this.report();
    }
    if (this.position && nowMs - this.recordedMs >= recordMs) {
      this.recordedMs = nowMs;
      // Not waited for: while S3 hangs the watchdog must still hear that the archive lives.
      void this.record("running");
    }
  }

  /** Takes turns until some work has ended. */
  async meanwhile<T>(work: Promise<T>): Promise<T> {
    const ended = new AbortController();
    work.then(
      () => ended.abort(),
      () => ended.abort(),
    );
    while (!ended.signal.aborted) {
      await this.service.clock.sleep(turnMs, ended.signal).catch(() => {});
      if (!ended.signal.aborted) await this.turn();
    }
    return work;
  }

  private report(): void {
    const { era } = this.position ?? {};
    const waitsFor = this.storeWaits() ? "S3" : this.waitsFor;
    this.service.status.update({
      state: waitsFor === "" ? "running" : "waiting",
      detail: {
        waitsFor,
        lagSeconds: this.lagSeconds,
        entries: this.entries,
        bytes: this.bytes,
        segments: this.segments,
        ...(era ? { era: era.era } : {}),
        ...(this.lastArchived ? { lastArchived: words(this.lastArchived) } : {}),
        ...(era?.gap ? { gap: gapInWords(era.gap) } : {}),
        residentMegabytes: Math.round(process.memoryUsage.rss() / 1024 / 1024),
      },
    });
  }

  /** Leaves where monitoring looks how far the archive is. One that can't be written is a warning. */
  async record(state: OplogRun["state"], error?: RoundtripError): Promise<void> {
    const { store, clock, logger } = this.service;
    const now = clock.now().toISOString();
    const { era } = this.position ?? {};
    const run: OplogRun = {
      version: 1,
      kind: "oplog",
      state,
      startedAt: this.startedAt,
      at: now,
      ...(state === "running" ? {} : { finishedAt: now }),
      lagSeconds: this.lagSeconds,
      ...(this.lastArchived ? { lastArchived: this.lastArchived } : {}),
      ...(era ? { era: era.era } : {}),
      ...(era?.gap ? { gap: era.gap, warnings: [gapInWords(era.gap)] } : {}),
      ...(error
        ? { error: { what: error.what, expected: error.expected, got: error.got, wayOut: error.wayOut } }
        : {}),
    };
    await writeJson(store, runKey("oplog"), run).catch((lost) =>
      logger.warn({ error: String(lost) }, "how far the archive is was not recorded in the bucket"),
    );
  }
}

function gapInWords({ from, to, reason }: NonNullable<ArchivePosition["era"]["gap"]>): string {
  return `nothing is archived between ${words(from)} and ${words(to)}: ${reason}`;
}
