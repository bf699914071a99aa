/** commitTransaction and abortTransaction. */
import { ServerError } from "../engine/errors.ts";
import type { Command, CommandContext, Reply } from "../server/context.ts";

function checkInTransaction(context: CommandContext): void {
  if (!context.session || !context.body.has("txnNumber") || context.body.get("autocommit") !== false) {
    throw new ServerError("CommandFailed", `${context.name} must be run within a transaction`);
  }
}

function commit(context: CommandContext): Reply {
  checkInTransaction(context);
  const { session, transaction } = context;
  // Committed already, perhaps before a restart: a retried commit succeeds.
  if (transaction?.state === "inProgress") transaction.commit(session!);
  session!.committed = true;
  return {};
}

function abort(context: CommandContext): Reply {
  checkInTransaction(context);
  context.transaction!.abort();
  return {};
}

export const transactionCommands: Command[] = [
  {
    name: "commitTransaction",
    fields: ["recoveryToken"],
    adminOnly: true,
    role: "write",
    txn: true,
    run: commit,
  },
  {
    name: "abortTransaction",
    fields: ["recoveryToken"],
    adminOnly: true,
    role: "write",
    txn: true,
    run: abort,
  },
];
