/** Every command by its names. */
import { ServerError } from "../engine/errors.ts";
import type { Command } from "../server/context.ts";
import { aggregateCommand } from "./aggregate.ts";
import { collectionCommands } from "./collections.ts";
import { deleteCommand } from "./delete.ts";
import { findCommand } from "./find.ts";
import { getMoreCommand, killCursorsCommand } from "./get-more.ts";
import { helloCommand } from "./hello.ts";
import { indexCommands } from "./indexes.ts";
import { insertCommand } from "./insert.ts";
import { listingCommands } from "./listing.ts";
import { monitoringCommands } from "./monitoring.ts";
import { saslCommands } from "./sasl.ts";
import { sessionCommands } from "./sessions.ts";
import { updateCommand } from "./update.ts";
import { roleCommands } from "./users/roles.ts";
import { userCommands } from "./users/users.ts";

const ALL: Command[] = [
  helloCommand,
  ...saslCommands,
  ...monitoringCommands,
  ...sessionCommands,
  insertCommand,
  updateCommand,
  deleteCommand,
  findCommand,
  getMoreCommand,
  killCursorsCommand,
  aggregateCommand,
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
