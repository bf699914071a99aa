/** Error labels the server adds by code, so that drivers know what to try again. */

const RETRYABLE_WRITE = new Set([6, 7, 89, 91, 134, 189, 262, 358, 9001, 10107, 11600, 11602, 13435, 13436]);
const RESUMABLE_CHANGE_STREAM = new Set([
  6, 7, 63, 89, 91, 133, 150, 189, 234, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436, 43,
]);
const NOT_PRIMARY = new Set([189, 10107, 11602, 13435, 13436]);
const TRANSIENT_TRANSACTION = new Set([24, 112, 239, 246, 267]);
const NO_SUCH_TRANSACTION = 251;

const RETRYABLE_COMMANDS = new Set([
  "insert",
  "update",
  "delete",
  "findAndModify",
  "findandmodify",
  "bulkWrite",
  "commitTransaction",
  "abortTransaction",
]);

/** Whether the code says that the member isn't, or is no longer, the one to ask. */
export function saysNotPrimary(code: number): boolean {
  return NOT_PRIMARY.has(code);
}

/** Whether a change stream that fails with this code may be resumed. */
export function isResumable(code: number): boolean {
  return RESUMABLE_CHANGE_STREAM.has(code);
}

export interface LabelContext {
  command: string;
  /** A retryable write: session and transaction number, no transaction. */
  retryable: boolean;
  inTransaction: boolean;
  /** An aggregate with a change stream, or a getMore that has its cursor already. */
  changeStream: boolean;
  /** The code is that of the write concern error beside a result. */
  besideResult: boolean;
}

function isTransient(code: number, { inTransaction, besideResult }: LabelContext, ending: boolean): boolean {
  if (!inTransaction || besideResult) return false;
  if (TRANSIENT_TRANSACTION.has(code) || code === NO_SUCH_TRANSACTION) return true;
  return !ending && RETRYABLE_WRITE.has(code);
}

/** @param code of the error or of the write concern error */
export function labelsFor(code: number | undefined, context: LabelContext): string[] {
  if (code === undefined) return [];
  const labels: string[] = [];
  const ending = context.command === "commitTransaction" || context.command === "abortTransaction";
  if (isTransient(code, context, ending)) labels.push("TransientTransactionError");
  if ((context.retryable || ending) && RETRYABLE_COMMANDS.has(context.command) && RETRYABLE_WRITE.has(code)) {
    labels.push("RetryableWriteError");
  }
  if (context.changeStream && isResumable(code)) labels.push("ResumableChangeStreamError");
  return labels;
}
