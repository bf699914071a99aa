import type { MongoClient } from "mongodb";
import { type ClientSession, Long, MongoError, MongoServerError } from "mongodb";
import { DocumentSequence } from "mongodb/lib/cmap/commands";
import { findElement, numberIn, textIn } from "../../../core/bson/raw.ts";
import type { Clock } from "../../../core/ports.ts";
import { isUnreachable } from "../failure.ts";
import type { Batch } from "./batches.ts";
import { sequenceFields, sequenceOf } from "./statements.ts";

/** One statement the server refused; the raw document says why. */
export interface StatementError {
  readonly index: number;
  readonly code: number;
  readonly message: string;
  readonly raw: Uint8Array;
}

/** What mends itself when another member is elected or a node comes back. */
const passingCodes = new Set([
  6, 7, 24, 46, 50, 64, 89, 91, 100, 112, 133, 134, 189, 202, 246, 262, 317, 358, 384, 9001, 10107, 11600,
  11602, 13388, 13435, 13436,
]);
const triesMax = 10;
const pauseMsMax = 5000;

interface Lane {
  readonly session: ClientSession;
  transaction: number;
}

/**
 * The driver may hand out a session it used before, whose numbers started at 1: ours begin far above. The sessions are
 * not given back either, or the driver's own smaller numbers would be refused; they end with the client.
 */
function firstTransaction(clock: Clock): number {
  return clock.now().getTime() * 1000;
}

/**
 * Several connections, each with a session of its own whose id is known beforehand: with a session and a transaction
 * number on every write, each entry these writes leave in MongoDB's oplog names the session, and is told from others'.
 */
export class Lanes {
  private readonly free: Lane[];
  private readonly waiting: ((lane: Lane) => void)[] = [];

  constructor(
    private readonly client: MongoClient,
    private readonly clock: Clock,
    count: number,
    private readonly signal?: AbortSignal,
  ) {
    this.free = Array.from({ length: count }, () => ({
      session: client.startSession({ causalConsistency: false }),
      transaction: firstTransaction(clock),
    }));
  }

  /** The sessions' ids, hex. To be recorded before the first write. */
  get sessionIds(): string[] {
    return this.free.map(({ session }) => Buffer.from(session.id!.id.buffer).toString("hex"));
  }

  /**
   * Runs a batch with a majority's acknowledgement; gives the statements back that the server refused. One whose turn
   * comes when the step has failed already is left out.
   */
  async run(batch: Batch, isFailed: () => boolean): Promise<StatementError[]> {
    const lane = this.free.pop() ?? (await new Promise<Lane>((resolve) => this.waiting.push(resolve)));
    try {
      if (isFailed()) return [];
      lane.transaction++;
      return await this.insist(lane, batch);
    } finally {
      const next = this.waiting.shift();
      if (next) next(lane);
      else this.free.push(lane);
    }
  }

  /** The same transaction number each time: what was already done is not done again. */
  private async insist(lane: Lane, batch: Batch): Promise<StatementError[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.send(lane, batch);
      } catch (error) {
        if (tries === triesMax || !isPassing(error)) throw error;
        await this.clock.sleep(Math.min(100 * 2 ** tries, pauseMsMax), this.signal);
      }
    }
  }

  private async send({ session, transaction }: Lane, batch: Batch): Promise<StatementError[]> {
    const reply = await this.client.db(batch.database).command(
      {
        [batch.command]: batch.collection,
        ordered: false,
        ...(batch.command === "delete" ? {} : { bypassDocumentValidation: true }),
        writeConcern: { w: "majority" },
        txnNumber: Long.fromNumber(transaction),
        [sequenceFields[batch.command]]: new RawSequence(batch),
      },
      { session, raw: true },
    );
    if (reply.writeConcernError instanceof Uint8Array) throw notAcknowledged(reply.writeConcernError);
    const errors = ((reply.writeErrors ?? []) as Uint8Array[]).map(readError);
    const passing = errors.find(({ code }) => passingCodes.has(code));
    if (passing) throw new MongoServerError({ message: passing.message, code: passing.code });
    return errors;
  }
}

/** Bytes where the driver would put JavaScript documents together. */
class RawSequence extends DocumentSequence {
  constructor(private readonly batch: Batch) {
    super(sequenceFields[batch.command]);
  }

  override toBin(): Uint8Array {
    return sequenceOf(this.batch.command, this.batch.writes);
  }
}

function readError(raw: Uint8Array): StatementError {
  return {
    index: numberIn(findElement(raw, "index")) ?? -1,
    code: numberIn(findElement(raw, "code")) ?? 0,
    message: textIn(findElement(raw, "errmsg")) ?? "",
    raw,
  };
}

function notAcknowledged(raw: Uint8Array): MongoServerError {
  const { code, message } = readError(raw);
  return new MongoServerError({ message: `not acknowledged by a majority: ${message}`, code });
}

function isPassing(error: unknown): boolean {
  if (isUnreachable(error)) return true;
  if (!(error instanceof MongoError)) return false;
  return error.hasErrorLabel("RetryableWriteError") || passingCodes.has(Number(error.code));
}
