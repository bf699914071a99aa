import { oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { Check, MongodbIdentity } from "../../core/failback/documents.ts";
import { identityChecks } from "../../core/failback/identity.ts";
import { identityKey } from "../../core/failback/layout.ts";
import type { RecordedTasks } from "../../core/failback/recorded-tasks.ts";
import type { Server } from "../access/databases.ts";
import { scopeDatabases } from "../access/survey.ts";
import { type Action, type ActionContext, passed } from "./action.ts";
import { attempt } from "./attempt.ts";
import { diskCheck } from "./disk-check.ts";
import { expectedPrivileges, privilegeChecks, privilegesName } from "./mongodb-privileges.ts";
import { replicationChecks } from "./replication-checks.ts";

/** What must hold before the application users lose their writes (invariants.md 13, 14). Changes nothing. */
export const run: Action = async (context) => {
  const { service, databases } = context;
  const server = await databases.open("mongodb");
  const checks: Check[] = [
    passed("MongoDB answers", "an authenticated connection to its primary"),
    ...(await identity(context, server)),
    ...(await attempt(privilegesName, expectedPrivileges, () =>
      privilegeChecks(server, scopeDatabases(context.failback.scope)),
    )),
    await diskCheck(service.stateDirectory),
    ...(await replicationChecks(context)),
  ];
  return { checks, data: {} };
};

async function identity({ service, failback }: ActionContext, server: Server): Promise<readonly Check[]> {
  const recorded = (await readJson<MongodbIdentity>(service.store, identityKey))?.value;
  const tasks = (await readJson<RecordedTasks>(service.store, failback.keys.replicationTasks))?.value;
  try {
    const found = { ...(await replicaSetIdentity(server.client)), oplog: await oplogWindow(server.client) };
    return identityChecks({ recorded, found, tasks: tasks?.tasks ?? [] });
  } catch (error) {
    throw server.failure(error, "read MongoDB's identity");
  }
}
