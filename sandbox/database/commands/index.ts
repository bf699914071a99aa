/** Every command by its names. */
import { ServerError } from "../engine/errors.ts";
import type { Command } from "../server/context.ts";
import { administrationCommands } from "./administration.ts";
import { aggregateCommand } from "./aggregate.ts";
import { applyOpsCommand } from "./apply-ops/apply-ops.ts";
import { collModCommand } from "./coll-mod.ts";
import { collectionCommands } from "./collections.ts";
import { countCommands } from "./count.ts";
import { deleteCommand } from "./delete.ts";
import { explainCommand } from "./explain.ts";
import { findCommand } from "./find.ts";
import { findAndModifyCommand } from "./find-and-modify.ts";
import { getMoreCommand, killCursorsCommand } from "./get-more.ts";
import { helloCommand } from "./hello.ts";
import { indexCommands } from "./indexes.ts";
import { insertCommand } from "./insert.ts";
import { listingCommands } from "./listing.ts";
import { monitoringCommands } from "./monitoring.ts";
import { operationCommands } from "./operations.ts";
import { replicaSetCommands } from "./replica-set.ts";
import { sandboxCommand } from "./sandbox.ts";
import { saslCommands } from "./sasl.ts";
import { searchIndexCommands } from "./search-indexes.ts";
import { serverStatusCommand } from "./server-status.ts";
import { sessionCommands } from "./sessions.ts";
import { statisticsCommands } from "./statistics.ts";
import { testCommands } from "./test-commands.ts";
import { transactionCommands } from "./transactions.ts";
import { updateCommand } from "./update.ts";
import { mergeAuthzCommand } from "./users/merge.ts";
import { roleCommands } from "./users/roles.ts";
import { userCommands } from "./users/users.ts";

const ALL: Command[] = [
  helloCommand,
  ...saslCommands,
  ...monitoringCommands,
  serverStatusCommand,
  ...operationCommands,
  ...sessionCommands,
  ...administrationCommands,
  ...replicaSetCommands,
  sandboxCommand,
  insertCommand,
  updateCommand,
  deleteCommand,
  findCommand,
  getMoreCommand,
  killCursorsCommand,
  aggregateCommand,
  applyOpsCommand,
  ...testCommands,
  ...searchIndexCommands,
  ...transactionCommands,
  mergeAuthzCommand,
  explainCommand,
  findAndModifyCommand,
  collModCommand,
  ...countCommands,
  ...statisticsCommands,
  ...indexCommands,
  ...collectionCommands,
  ...listingCommands,
  ...userCommands,
  ...roleCommands,
];

/** Commands by name and alias. */
export const commands: ReadonlyMap<string, Command> = new Map(
  ALL.flatMap((command) =>
    [command.name, ...(command.aliases ?? [])].map((name): [string, Command] => [name, command]),
  ),
);

export function unknownCommand(name: string): ServerError {
  return new ServerError("CommandNotFound", `no such command: '${name}'`);
}
