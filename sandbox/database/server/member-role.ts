/** Writes go to the primary; reads go to a secondary only when the client says it accepts that. */
import { ServerError } from "../engine/errors.ts";
import { isDocument } from "../engine/value.ts";
import type { CommandContext } from "./context.ts";

function acceptsSecondary(context: CommandContext): boolean {
  const preference = context.body.get("$readPreference");
  if (isDocument(preference)) return preference.get("mode") !== "primary";
  return false;
}

/** @throws ServerError NotWritablePrimary, NotPrimaryNoSecondaryOk */
export function checkMemberRole(context: CommandContext): void {
  const { command } = context;
  if (command.role === "any" || context.connection.member.state === "PRIMARY") return;
  if (command.role === "write") {
    throw new ServerError("NotWritablePrimary", "not primary");
  }
  if (!acceptsSecondary(context)) {
    throw new ServerError("NotPrimaryNoSecondaryOk", "not primary and secondaryOk=false");
  }
}
