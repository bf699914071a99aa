import type { MongoClient } from "mongodb";
import { EventReader } from "../../core/changes/event.ts";
import type { ChangeBatch, ChangeSource, ResumePoint } from "../../core/changes/source.ts";
import type { Clock, Logger, OperationTime } from "../../core/ports.ts";
import { cannotPass, historyLost, isHistoryLost, isOversize, isResumable } from "./change-stream-errors.ts";
import { mongoFailure, type Subject } from "./failure.ts";
import { type CursorReply, RawCursor } from "./raw-cursor.ts";
import { ReplySize } from "./reply-size.ts";

export interface ChangeStreamOptions {
  /** Connects anew, reading the secret again: a password may have been changed meanwhile. */
  readonly connect: () => Promise<MongoClient>;
  readonly subject: Subject;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a read waits for the first event; default 1,000. */
  readonly awaitMs?: number;
  /** Resumes in a row without a reply between them; default 12, which is about a minute. */
  readonly resumesMax?: number;
}

const defaultAwaitMs = 1000;
const defaultResumesMax = 12;
const backoffFirstMs = 100;
const backoffMaxMs = 10_000;
/** Single reads before trying whole batches again. */
const singleReadsMax = 1000;

/** The cluster's change stream. It resumes by its own rules, because what DocumentDB labels resumable is not known. */
export class ChangeStream implements ChangeSource {
  private client: MongoClient | undefined;
  private readonly awaitMs: number;

  constructor(private readonly options: ChangeStreamOptions) {
    this.awaitMs = options.awaitMs ?? defaultAwaitMs;
  }

  async *read(from: ResumePoint, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    let point = from;
    let resumes = 0;
    let oversizeAhead = false;
    try {
      while (!signal.aborted) {
        try {
          const batches = oversizeAhead ? this.passOversize(point, signal) : this.readOpened(point, signal);
          let replies = 0;
          for await (const batch of batches) {
            // Opening alone is no success: the reads after it may fail each time.
            if (++replies > 1) resumes = 0;
            point = batch.resume;
            yield batch;
          }
          oversizeAhead = false;
        } catch (error) {
          if (isOversize(error)) oversizeAhead = true;
          else resumes = await this.afterFailure(error, point, resumes, signal);
        }
      }
    } finally {
      await this.dropClient();
    }
  }

  /** Reads with one request on its way while the batch before is being processed, until a failure or the signal. */
  private async *readOpened(from: ResumePoint, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    const cursor = await RawCursor.open(await this.connected(), from, { awaitMs: this.awaitMs });
    try {
      let batch: ChangeBatch = { events: [], resume: from };
      const size = new ReplySize();
      let coming = quiet(cursor.next(size.events));
      yield batch;
      while (true) {
        const next = await untilAborted(coming, signal);
        if (!next) return;
        batch = batchOf(next, batch.resume);
        if (cursor.closed) {
          // An invalidate: its own token can't be resumed after, and nothing shares its time.
          yield { ...batch, resume: { operationTime: justAfter(batch.resume.operationTime) } };
          return;
        }
        size.saw(batch.events);
        coming = quiet(cursor.next(size.events));
        yield batch;
      }
    } finally {
      await cursor.close();
    }
  }

  /**
   * One of the next events is over 16 MB. Those before it are read one by one; it is read without its documents, so
   * that its `_id` is known, and the reading goes on after it.
   */
  private async *passOversize(from: ResumePoint, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    const options = { awaitMs: this.awaitMs, batchSize: 1 };
    const cursor = await RawCursor.open(await this.connected(), from, options);
    let point = from;
    try {
      for (let reads = 0; reads < singleReadsMax && !signal.aborted; reads++) {
        const batch = batchOf(await cursor.next(), point);
        point = batch.resume;
        yield batch;
        // Nothing left and nothing failed: the document shrank meanwhile, and its lookup with it.
        if (batch.events.length === 0) return;
      }
      return;
    } catch (error) {
      if (!isOversize(error)) throw error;
    } finally {
      await cursor.close();
    }
    yield await this.readNarrow(point, signal);
  }

  /** Without the looked-up document the event may fit: an insert's or a replace's never does, it goes without both. */
  private async readNarrow(from: ResumePoint, signal: AbortSignal): Promise<ChangeBatch> {
    try {
      return await this.readOne(from, "lookup", signal);
    } catch (error) {
      if (!isOversize(error)) throw error;
    }
    try {
      return await this.readOne(from, "lookup-and-change", signal);
    } catch (error) {
      if (signal.aborted || isResumable(error)) throw error;
      throw cannotPass(error, this.options.subject, textOf(from));
    }
  }

  private async readOne(
    from: ResumePoint,
    without: "lookup" | "lookup-and-change",
    signal: AbortSignal,
  ): Promise<ChangeBatch> {
    const options = { awaitMs: this.awaitMs, batchSize: 1, without };
    const cursor = await RawCursor.open(await this.connected(), from, options);
    try {
      while (true) {
        signal.throwIfAborted();
        const batch = batchOf(await cursor.next(), from);
        if (batch.events.length > 0) return { ...batch, oversize: true };
      }
    } finally {
      await cursor.close();
    }
  }

  /** Waits before the next try and gives how many there were, or throws what the capture stops with. */
  private async afterFailure(
    error: unknown,
    point: ResumePoint,
    resumes: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { subject, clock, logger } = this.options;
    if (signal.aborted) return resumes;
    if (isHistoryLost(error)) throw historyLost(error, subject, textOf(point));
    const failure = mongoFailure(error, subject);
    const deniedAgain = failure.kind === "denied" && resumes > 0;
    if (deniedAgain || (failure.kind !== "denied" && !isResumable(error) && failure.kind !== "unavailable")) {
      throw failure;
    }
    if (resumes >= (this.options.resumesMax ?? defaultResumesMax)) throw failure;
    logger.warn({ resumes: resumes + 1, got: failure.got }, "reading changes was interrupted; resuming");
    // A second failure may be the connection's own, or a password that was changed: begin with a new one.
    if (resumes > 0 || failure.kind === "denied") await this.dropClient();
    await clock.sleep(Math.min(backoffFirstMs * 2 ** resumes, backoffMaxMs), signal).catch(() => {});
    return resumes + 1;
  }

  private async connected(): Promise<MongoClient> {
    this.client ??= await this.options.connect();
    return this.client;
  }

  private async dropClient(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    await client?.close().catch(() => {});
  }
}

const reader = new EventReader();

/** What a reply gives, and where a read after it begins. */
function batchOf(
  { documents, postBatchResumeToken, operationTime }: CursorReply,
  before: ResumePoint,
): ChangeBatch {
  const last = documents.at(-1);
  const lastEvent = last ? reader.read(last) : undefined;
  // An event's own token is safe on every server; the batch's matters where there is no event.
  const token = lastEvent?.token?.bytes.slice() ?? postBatchResumeToken;
  if (!token) return { events: documents, resume: before };
  const time = lastEvent?.clusterTime ?? operationTime ?? before.operationTime;
  return { events: documents, resume: { token, operationTime: time } };
}

function justAfter({ t, i }: OperationTime): OperationTime {
  return { t, i: i + 1 };
}

/** `undefined` when the signal fires first: a read may wait a second for an event. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) return undefined;
  let stop = () => {};
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function textOf(point: ResumePoint): string {
  const { t, i } = point.operationTime;
  const at = `operation time ${t}:${i} (${new Date(t * 1000).toISOString()})`;
  return "token" in point ? `the resume token at ${at}` : at;
}

/** A read ahead that fails is reported when its turn comes, not as a stray rejection before. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
