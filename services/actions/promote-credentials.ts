import { readAccount } from "../credentials/account-state.ts";
import { promote } from "../credentials/promote.ts";
import { type Action, passed } from "./action.ts";

/** Makes the pending credentials of an operation the secret's current ones, after a login with them. */
export const run: Action = async ({ service, databases, parameter }) => {
  const operation = parameter("operation");
  const state = await readAccount(service, parameter("account"), operation);
  const server = await databases.open("documentdb");
  const { record, loginMs } = await promote(service, server, state, operation);
  const { username, previousUsername, oldUsername = "", versionId, promotedAt } = record;
  return {
    checks: [
      passed(`user ${username} logs in`, "accepted", `accepted after ${loginMs} ms`),
      passed(`current version of secret ${record.secret}`, versionId),
    ],
    data: { username, previousUsername, oldUsername, versionId, promotedAt },
  };
};
