import type { RotationChange } from "../../core/credentials/accounts.ts";
import { readAccount, targetUsername } from "../credentials/account-state.ts";
import { rotationChecks } from "../credentials/checks.ts";
import { prepare } from "../credentials/prepare.ts";
import { type Action, passed } from "./action.ts";

/** Keeps new credentials under AWSPENDING and makes the second user; checks again first, and changes nothing when one fails. */
export const run: Action = async ({ service, databases, parameter }) => {
  const state = await readAccount(service, parameter("account"), parameter("operation"));
  const change = parameter("change") as RotationChange;
  const plan = { change, username: targetUsername(state, change, parameter("username")) };
  const server = await databases.open("documentdb");
  const checks = await rotationChecks(service, server, state, plan);
  if (checks.some(({ ok }) => !ok)) return { checks, data: {} };
  const made = await prepare(service, server, state, plan);
  const proof =
    made.loginMs === undefined
      ? passed("new password is pending", "kept in Secrets Manager before any user has it")
      : passed(`user ${made.username} logs in`, "accepted", `accepted after ${made.loginMs} ms`);
  return { checks: [proof], data: { ...made } };
};
