import { readAccount } from "../credentials/account-state.ts";
import { removalChecks, removeUser } from "../credentials/remove.ts";
import { type Action, passed } from "./action.ts";

/** Removes the old user of a rotation; refused while anything is connected as it, or when it isn't the old user. */
export const run: Action = async ({ service, databases, parameter }) => {
  const username = parameter("old-username");
  const state = await readAccount(service, parameter("account"), "-");
  const server = await databases.open("documentdb");
  const found = await removalChecks(service, server, state, username);
  if (found.checks.some(({ ok }) => !ok)) return { checks: found.checks, data: {} };
  await removeUser(service, server, state, found, username);
  const gone = passed(`user ${username} is gone`, "no such user", found.isGone ? "gone before" : "dropped");
  return { checks: [...found.checks, gone], data: { removed: username, current: state.current.username } };
};
