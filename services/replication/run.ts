import { createClassifier } from "../../core/changes/classify.ts";
import { FlushBuilder } from "../../core/changes/flush.ts";
import type { Gap } from "../../core/changes/gap.ts";
import type { ChangeSource } from "../../core/changes/source.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { OpenFailback, ServiceContext } from "../runtime/service.ts";
import { Arena } from "./arena.ts";
import { capture } from "./capture.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type Committed, LogWriter } from "./log-writer.ts";
import { abortLater, PatientStore } from "./patient-store.ts";
import { findPosition, type Position } from "./position.ts";
import { CaptureProgress } from "./progress.ts";
import { TokenMirror } from "./token-mirror.ts";

export interface ReplicationParts {
  readonly source: ChangeSource;
  /** Writes one heartbeat to the control namespace. */
  readonly beat: (number: number) => Promise<void>;
  /** After a signal S3 gets this long to take what is in hand. Default 40,000; systemd waits a minute. */
  readonly finishMsMax?: number;
}

const defaultFinishMsMax = 40_000;
/** A flush ends with the event that fills it: room for that one. */
const arenaSlackBytes = 1024 * 1024;

/**
 * Captures until the signal fires. Goes on from the newest manifest, or from the start point. Fails `historyLost`
 * (and leaves `gap.json`), `fenced`, `logCorrupt`, `unavailable`, `denied`.
 */
export async function replicate(
  context: ServiceContext,
  failback: OpenFailback,
  parts: ReplicationParts,
): Promise<void> {
  const first = await findPosition(context.store, failback.id);
  const run = new CaptureRun(context, failback, parts);
  try {
    await run.from(first);
  } catch (error) {
    if (!isFenced(error) || run.committed > 0) throw error;
    // Before its first manifest a run may lose to the last request of the one it replaces, which was still on its way
    // when that one died. It goes on once from what is there; a capture that lives fences it at the next manifest.
    context.logger.warn({ got: error.got }, "another run wrote the next manifest; going on after it once");
    await new CaptureRun(context, failback, parts).from(await findPosition(context.store, failback.id));
  }
}

function isFenced(error: unknown): error is RoundtripError {
  return error instanceof RoundtripError && error.kind === "fenced";
}

class CaptureRun {
  committed = 0;
  private last: Committed | undefined;

  constructor(
    private readonly context: ServiceContext,
    private readonly failback: OpenFailback,
    private readonly parts: ReplicationParts,
  ) {}

  async from(position: Position): Promise<void> {
    const { context, failback, parts } = this;
    const { clock, logger, settings, store, signal, stateDirectory } = context;
    const ended = new AbortController();
    const giveUp = abortLater(signal, parts.finishMsMax ?? defaultFinishMsMax);
    const patient = new PatientStore({ store, clock, logger, giveUp });
    const heartbeat = new Heartbeat({
      beat: parts.beat,
      clock,
      logger,
      periodMs: settings.heartbeatSeconds * 1000,
      signal: AbortSignal.any([signal, ended.signal]),
    });
    const mirror = new TokenMirror({ store, clock, logger, stateDirectory });
    const progress = new CaptureProgress(context, position);
    const writer = new LogWriter({
      store,
      patient,
      clock,
      failbackId: failback.id,
      writer: { host: context.host, run: context.run },
      head: position.head,
      compression: settings.compression,
      // One full flush on its way while the next one fills: the rest of the memory is the same bytes once more.
      bytesInFlightMax: settings.maxBytesPerFlush,
      onCommitted: (committed) => {
        this.committed++;
        this.last = committed;
        mirror.update(committed);
        progress.committed(committed);
        if (committed.manifest.signals.some(({ kind }) => kind === "heartbeat")) heartbeat.seen();
      },
    });
    const arena = new Arena(settings.maxBytesPerFlush + arenaSlackBytes);
    const builder = new FlushBuilder({
      memory: arena,
      nextSequence: position.head.lastSequence + 1,
      classify: createClassifier(failback.scope),
      maxEventsPerObject: settings.maxEventsPerObject,
      resume: position.from,
    });
    logger.info({ manifest: position.head.number, from: position.from.operationTime }, "capturing");
    // Not waited for at the end: a beat may hang on a dead connection, and none is owed.
    void heartbeat.run();
    try {
      await capture({
        source: parts.source,
        from: position.from,
        builder,
        arena,
        writer,
        clock,
        maxBytesPerFlush: settings.maxBytesPerFlush,
        maxDelayMs: settings.maxDelayMs,
        tokenOnlyMs: settings.heartbeatSeconds * 1500,
        onTurn: ({ stalled }) => {
          heartbeat.check();
          progress.turn({ stalled: stalled || patient.waiting > 0, writer, heartbeat, builder });
        },
        signal,
      });
    } catch (error) {
      if (error instanceof RoundtripError && error.kind === "historyLost") {
        await this.recordGap(error, position, patient);
      }
      throw error;
    } finally {
      ended.abort();
      progress.report({ stalled: patient.waiting > 0, writer, heartbeat, builder });
      await mirror.finish();
    }
  }

  /** Where the log ends for good, for everybody who would read on. */
  private async recordGap(error: RoundtripError, position: Position, patient: PatientStore): Promise<void> {
    const { context, failback, last } = this;
    const gap: Gap = {
      version: 1,
      failbackId: failback.id,
      lastManifest: last?.manifest.number ?? position.head.number,
      lastSequence: last?.manifest.lastSequence ?? position.head.lastSequence,
      from: last?.manifest.lastOperationTime ?? position.from.operationTime,
      detectedAt: context.clock.now().toISOString(),
      got: error.got,
      wayOut: error.wayOut,
      host: context.host,
      run: context.run,
    };
    const body = new TextEncoder().encode(`${JSON.stringify(gap, null, 2)}\n`);
    await patient.put(failback.keys.gap, body, { contentType: "application/json" });
  }
}
