/** Operations on sessions; `withTransaction` runs further operations and lies with the runner. */
import type { ClientSession } from "mongodb";
import type { Table } from "./table.ts";

export const sessionOperations: Table<ClientSession> = {
  abortTransaction: (session, options) => session.abortTransaction(options),
  commitTransaction: (session, options) => session.commitTransaction(options),
  endSession: (session) => session.endSession(),
  startTransaction: (session, options) => session.startTransaction(options),
};
