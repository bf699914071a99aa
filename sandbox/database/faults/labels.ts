/** Error labels the server adds by code, so that drivers know what to try again. */

const RETRYABLE_WRITE = new Set([6, 7, 89, 91, 134, 189, 262, 358, 9001, 10107, 11600, 11602, 13435, 13436]);
const RESUMABLE_CHANGE_STREAM = new Set([
  6, 7, 63, 89, 91, 133, 150, 189, 234, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436, 43,
]);
const TRANSIENT_TRANSACTION = new Set([112, 246, 251, 267, 24, 239]);

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

export interface LabelContext {
  command: string;
  /** A retryable write: session and transaction number, no transaction. */
  retryable: boolean;
  inTransaction: boolean;
  changeStream: boolean;
}

/** @param code of the error or of the write concern error */
export function labelsFor(code: number | undefined, context: LabelContext): string[] {
  if (code === undefined) return [];
  const labels: string[] = [];
  const ending = context.command === "commitTransaction" || context.command === "abortTransaction";
  if (context.inTransaction && !ending) {
    if (TRANSIENT_TRANSACTION.has(code) || RETRYABLE_WRITE.has(code))
      labels.push("TransientTransactionError");
  } else if (context.inTransaction && ending && code === 251) labels.push("TransientTransactionError");
  if ((context.retryable || ending) && RETRYABLE_COMMANDS.has(context.command) && RETRYABLE_WRITE.has(code)) {
    labels.push("RetryableWriteError");
  }
  if (context.changeStream && RESUMABLE_CHANGE_STREAM.has(code)) labels.push("ResumableChangeStreamError");
  return labels;
}
