import { statfs } from "node:fs/promises";
import { oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { hasUserWriteBlock } from "../../adapters/mongo/write-block.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { Privilege } from "../../core/access/principal.ts";
import { missingPrivileges, requiredPrivileges } from "../../core/access/required-privileges.ts";
import type { Check, MongodbIdentity } from "../../core/failback/documents.ts";
import { identityChecks } from "../../core/failback/identity.ts";
import { identityKey } from "../../core/failback/layout.ts";
import type { RecordedTasks } from "../../core/failback/recorded-tasks.ts";
import type { Server } from "../access/databases.ts";
import { scopeDatabases } from "../access/survey.ts";
import { type Action, type ActionContext, check, passed } from "./action.ts";
import { attempt } from "./attempt.ts";
import { replicationChecks } from "./replication-checks.ts";

/** Dumps go straight to the bucket: the disk holds status files, the token and what the tools log. */
const freeBytesMin = 512 * 1024 * 1024;

/** What must hold before the application users lose their writes (invariants.md 13, 14). Changes nothing. */
export const run: Action = async (context) => {
  const { service, databases } = context;
  const server = await databases.open("mongodb");
  const checks: Check[] = [
    passed("MongoDB answers", "an authenticated connection to its primary"),
    ...(await identity(context, server)),
    ...(await privileges(context, server)),
    await disk(service.stateDirectory),
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

async function privileges({ failback }: ActionContext, server: Server): Promise<readonly Check[]> {
  const expected = "to dump, close, apply and reopen";
  return attempt("privileges of Roundtrip's user on MongoDB", expected, async () => {
    const shown = await server.command(
      "admin",
      { connectionStatus: 1, showPrivileges: true },
      "read privileges",
    );
    const held = shown.authInfo.authenticatedUserPrivileges as Privilege[];
    const blocks = await hasUserWriteBlock(server.client);
    const missing = missingPrivileges(held, requiredPrivileges(scopeDatabases(failback.scope), blocks));
    if (missing.length === 0) return "all there";
    return check("privileges of Roundtrip's user on MongoDB", false, {
      expected,
      got: `missing: ${missing.join(", ")}`,
      wayOut:
        "grant the user the roles backup, restore, clusterManager, clusterMonitor, hostManager, userAdminAnyDatabase and readWriteAnyDatabase on admin",
    });
  });
}

async function disk(directory: string): Promise<Check> {
  const { bavail, bsize } = await statfs(directory).catch(() => statfs("/"));
  const free = bavail * bsize;
  const megabytes = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;
  return check("disk of the host", free >= freeBytesMin, {
    expected: `${megabytes(freeBytesMin)} free; dumps go to the bucket, not to the disk`,
    got: `${megabytes(free)} free`,
    wayOut: "free space on the host's volume",
  });
}
