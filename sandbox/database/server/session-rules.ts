/** Attaches the session a command names, and checks what transaction fields say about it. */
import { ServerError } from "../engine/errors.ts";
import { attachTransaction } from "../transactions/rules.ts";
import type { CommandContext } from "./context.ts";
import { transactionNumber } from "./sessions.ts";

const RETRYABLE = new Set(["insert", "update", "delete", "findAndModify", "bulkWrite"]);

/** @throws ServerError for transaction fields that don't belong together */
export function attachSession(context: CommandContext): void {
  const lsid = context.body.get("lsid");
  const number = transactionNumber(context.body);
  if (lsid === undefined) {
    if (number !== undefined)
      throw new ServerError(
        "InvalidOptions",
        "Transaction number requires a session ID to also be specified",
      );
    if (context.body.has("autocommit"))
      throw new ServerError("InvalidOptions", "'autocommit' field requires a transaction number");
    return;
  }
  const principal = context.connection.principal;
  context.session = context.server.sessions.use(lsid, principal);
  if (number === undefined) {
    if (context.body.has("autocommit"))
      throw new ServerError("InvalidOptions", "'autocommit' field requires a transaction number");
    return;
  }
  if (context.body.get("autocommit") !== undefined) {
    attachTransaction(context, context.session, number);
    return;
  }
  if (RETRYABLE.has(context.command.name)) context.server.sessions.beginRetryable(context.session, number);
  else
    throw new ServerError(
      50768,
      "txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and " +
        context.name +
        " is not a retryable write command.",
    );
}
