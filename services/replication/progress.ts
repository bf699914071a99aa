import type { FlushBuilder } from "../../core/changes/flush.ts";
import type { ServiceContext } from "../runtime/service.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Committed, LogWriter } from "./log-writer.ts";
import type { Position } from "./position.ts";

export interface Turn {
  readonly stalled: boolean;
  readonly writer: LogWriter;
  readonly heartbeat: Heartbeat;
  readonly builder: FlushBuilder;
}

/** Between two reports; the reporter itself writes less often. */
const reportMs = 500;
/** Of the retention: an older token is worth a warning. */
const tokenAgeShareWarned = 0.5;

/** What a capture says of itself: counts, lag, age of the token against the change stream's retention. */
export class CaptureProgress {
  private readonly startedMs: number;
  private reportedMs = Number.NEGATIVE_INFINITY;
  private manifest: number;
  private lastSequence: number;
  private tokenTimeMs: number;
  private events = 0;
  private bytes = 0;
  private objects = 0;
  private flags = 0;
  private held = 0;
  private lagMs = 0;
  private warned = false;

  constructor(
    private readonly context: ServiceContext,
    { head, from }: Position,
  ) {
    this.startedMs = context.clock.monotonicMs();
    this.manifest = head.number;
    this.lastSequence = head.lastSequence;
    this.tokenTimeMs = from.operationTime.t * 1000;
  }

  committed({ manifest, bytes }: Committed): void {
    this.manifest = manifest.number;
    this.lastSequence = manifest.lastSequence;
    this.tokenTimeMs = manifest.lastOperationTime.t * 1000;
    this.bytes += bytes;
    this.objects += manifest.objects.length;
    this.flags += manifest.flags.length;
    for (const object of manifest.objects) {
      this.events += object.events;
      if (object.kind === "held") this.held += object.events;
    }
    // The server's clock counts whole seconds here: the lag is at most this.
    if (manifest.objects.length > 0) this.lagMs = Math.max(0, this.ageMs());
  }

  /** Reports, at most twice a second. */
  turn(turn: Turn): void {
    const { clock, alive } = this.context;
    alive();
    if (clock.monotonicMs() - this.reportedMs >= reportMs) this.report(turn);
  }

  /** Reports now: the last numbers of a run must not be lost to the rate. */
  report({ stalled, writer, heartbeat, builder }: Turn): void {
    const { clock, status, environment } = this.context;
    const nowMs = clock.monotonicMs();
    this.reportedMs = nowMs;
    const retentionSeconds = environment.documentdb.changeStreamRetentionSeconds;
    const tokenAgeSeconds = Math.max(0, Math.round(this.ageMs() / 1000));
    this.warnOfAge(tokenAgeSeconds, retentionSeconds);
    const seconds = Math.max(0.001, (nowMs - this.startedMs) / 1000);
    status.update({
      state: stalled ? "waiting" : "running",
      progress: { done: this.lastSequence, unit: "events", perSecond: Math.round(this.events / seconds) },
      detail: {
        events: this.events,
        bytes: this.bytes,
        objects: this.objects,
        held: this.held,
        flags: this.flags,
        lagMs: Math.round(this.lagMs),
        lastSequence: this.lastSequence,
        manifest: this.manifest,
        tokenAgeSeconds,
        retentionSeconds,
        heartbeatAgeSeconds: Math.round(heartbeat.sinceSeenMs / 1000),
        heartbeatMissing: heartbeat.alarm,
        pendingEvents: builder.events,
        flushesInFlight: writer.inFlight.flushes,
        stalled,
        residentMegabytes: Math.round(process.memoryUsage.rss() / 1024 / 1024),
      },
    });
  }

  private ageMs(): number {
    return this.context.clock.now().getTime() - this.tokenTimeMs;
  }

  private warnOfAge(tokenAgeSeconds: number, retentionSeconds: number): void {
    const old = tokenAgeSeconds > retentionSeconds * tokenAgeShareWarned;
    if (old && !this.warned) {
      this.context.logger.warn(
        { tokenAgeSeconds, retentionSeconds },
        "the resume token is older than half of what the change stream keeps: changes will be lost unless capture catches up",
      );
    }
    this.warned = old;
  }
}
