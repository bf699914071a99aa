/** May this connection run this command? The server's checks and messages. */

import { CLUSTER, type Need, need, satisfies } from "../auth/privilege.ts";
import { ServerError } from "../engine/errors.ts";
import { shellText } from "../storage/duplicate-key.ts";
import type { CommandContext } from "./context.ts";

function commandText(context: CommandContext): string {
  const shown: string[] = [];
  for (const [name, value] of context.body) {
    const secret = name === "pwd" || name === "payload" || name === "speculativeAuthenticate";
    shown.push(`${name}: ${secret ? '"xxx"' : shellText(value)}`);
    if (shown.join(", ").length > 2000) {
      shown.push("...");
      break;
    }
  }
  return `{ ${shown.join(", ")} }`;
}

export function unauthorized(context: CommandContext): ServerError {
  return new ServerError(
    "Unauthorized",
    `not authorized on ${context.database} to execute command ${commandText(context)}`,
  );
}

/** True when some logged-in user of the connection has the privilege. */
export function holds(context: CommandContext, wanted: Need): boolean {
  for (const principal of context.connection.principals.values()) {
    if (satisfies(context.server.authorization.current(principal).privileges, wanted)) return true;
  }
  return false;
}

/** @throws ServerError Unauthorized */
function require(context: CommandContext, ...needs: Need[]): void {
  for (const wanted of needs) if (!holds(context, wanted)) throw unauthorized(context);
}

/** @throws ServerError Unauthorized (13), UserWritesBlocked (371) */
export function authorize(context: CommandContext): void {
  const { command, name } = context;
  if (command.adminOnly && context.database !== "admin") {
    throw new ServerError("Unauthorized", `${name} may only be run against the admin database.`);
  }
  if (command.open) return;
  if (context.connection.principals.size === 0) {
    throw new ServerError("Unauthorized", `Command ${name} requires authentication`);
  }
  require(context, ...(command.needs?.(context) ?? []));
}

const INTERNAL = new Set(["admin", "config", "local"]);

/**
 * Refuses a user's write while writes are blocked; the server's own databases stay writable.
 * @throws ServerError UserWritesBlocked
 */
export function checkUserWriteBlock(context: CommandContext, database: string): void {
  if (!context.server.userWriteBlock || INTERNAL.has(database)) return;
  if (holds(context, need(CLUSTER, "bypassWriteBlockingMode"))) return;
  throw new ServerError("UserWritesBlocked", "User writes blocked");
}
