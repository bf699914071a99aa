import type { RotationChange } from "../../core/credentials/accounts.ts";
import { readAccount, targetUsername } from "../credentials/account-state.ts";
import { rotationChecks } from "../credentials/checks.ts";
import type { Action } from "./action.ts";

/** Checks, one by one, what must hold before credentials are renewed, and says whose. Changes nothing. */
export const run: Action = async ({ service, databases, parameter }) => {
  const state = await readAccount(service, parameter("account"), parameter("operation"));
  const change = parameter("change") as RotationChange;
  const username = targetUsername(state, change, parameter("username"));
  const server = await databases.open("documentdb");
  const checks = await rotationChecks(service, server, state, { change, username });
  return {
    checks,
    data: { secret: state.account.secret, username: state.current.username, target: username },
  };
};
