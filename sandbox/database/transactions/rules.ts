/** Which command may do what in which state of a session's transaction: the server's checks and codes. */
import { ServerError } from "../engine/errors.ts";
import type { CommandContext } from "../server/context.ts";
import type { Session } from "../server/sessions.ts";
import { Transaction } from "./transaction.ts";

const ENDING = new Set(["commitTransaction", "abortTransaction"]);

function noSuchTransaction(message: string): ServerError {
  return new ServerError("NoSuchTransaction", message);
}

function checkOptions(context: CommandContext, starting: boolean): void {
  const { body, command, name } = context;
  if (!command.txn)
    throw new ServerError(
      "OperationNotSupportedInTransaction",
      `Cannot run '${name}' in a multi-document transaction.`,
    );
  if (body.has("readConcern") && !starting) {
    throw new ServerError(
      "InvalidOptions",
      "Only the first command in a transaction may specify a readConcern",
    );
  }
  if (body.has("writeConcern") && !ENDING.has(name)) {
    throw new ServerError(
      "InvalidOptions",
      `writeConcern is not allowed within a multi-statement transaction`,
    );
  }
  const internal =
    context.database === "admin" || context.database === "config" || context.database === "local";
  if (internal && !ENDING.has(name) && name !== "getMore" && name !== "killCursors") {
    throw new ServerError(
      "OperationNotSupportedInTransaction",
      `Cannot run command against the '${context.database}' database in a transaction.`,
    );
  }
}

function begin(context: CommandContext, session: Session, number: bigint): Transaction {
  if (number < session.number) {
    throw new ServerError(
      "TransactionTooOld",
      `Cannot start transaction ${number} on session because a newer transaction ${session.number} has already started.`,
    );
  }
  if (number === session.number) {
    const state = session.transaction?.state;
    if (state === "inProgress" || !session.lastWasTransaction || state === undefined) {
      throw new ServerError(
        50911,
        `Cannot start a transaction at given transaction number ${number} a transaction with the same number is in state ${state ?? "none"}`,
      );
    }
    throw new ServerError(
      "ConflictingOperationInProgress",
      `Cannot start a transaction with given transaction number ${number}: it is ${state}`,
    );
  }
  session.transaction?.abort();
  session.number = number;
  session.statements = new Map();
  session.lastWasTransaction = true;
  session.committed = false;
  session.transaction = new Transaction(context.storage, number);
  return session.transaction;
}

function resume(context: CommandContext, session: Session, number: bigint): Transaction | undefined {
  const { transaction } = session;
  if (number < session.number) {
    throw new ServerError(
      "TransactionTooOld",
      `Cannot continue transaction ${number} because a newer transaction ${session.number} has started.`,
    );
  }
  if (number > session.number || !transaction) {
    // After a restart only what was committed is known.
    if (number === session.number && session.committed && context.name === "commitTransaction")
      return undefined;
    throw noSuchTransaction(
      `Given transaction number ${number} does not match any in-progress transactions. The active transaction number is ${session.number}`,
    );
  }
  if (transaction.state === "aborted")
    throw noSuchTransaction(`Transaction with { txnNumber: ${number} } has been aborted.`);
  if (transaction.state === "committed" && context.name !== "commitTransaction") {
    throw new ServerError(
      "TransactionCommitted",
      `Transaction with { txnNumber: ${number} } has been committed.`,
    );
  }
  return transaction;
}

/** Attaches the command to its transaction; `autocommit: false` says there is one. */
export function attachTransaction(context: CommandContext, session: Session, number: bigint): void {
  if (context.body.get("autocommit") !== false)
    throw new ServerError("InvalidOptions", "Specifying autocommit=true is not allowed.");
  const starting = context.body.get("startTransaction") === true;
  checkOptions(context, starting);
  if (starting && ENDING.has(context.name))
    throw new ServerError(
      "OperationNotSupportedInTransaction",
      `Cannot start a transaction with ${context.name}`,
    );
  const transaction = starting ? begin(context, session, number) : resume(context, session, number);
  const limit = context.server.parameters.numberOf("transactionLifetimeLimitSeconds") * 1000;
  if (transaction?.state === "inProgress" && Date.now() - transaction.startedAt > limit) {
    transaction.abort();
    throw noSuchTransaction(`Transaction with { txnNumber: ${number} } has been aborted.`);
  }
  context.transaction = transaction;
}
