import { abandonPending, goBack } from "../credentials/abandon.ts";
import { readAccount } from "../credentials/account-state.ts";
import type { Action } from "./action.ts";

/** Gives up new credentials, pending or current; the account's user is one that can log in afterwards. */
export const run: Action = async ({ service, databases, parameter }) => {
  const state = await readAccount(service, parameter("account"), "-");
  if (parameter("give-up") === "current") return { checks: await goBack(service, state), data: {} };
  const server = await databases.open("documentdb");
  return { checks: await abandonPending(service, server, state), data: {} };
};
