import { oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { Check, MongodbIdentity } from "../../core/failback/documents.ts";
import { checkpointCheck } from "../../core/failback/identity.ts";
import { identityKey } from "../../core/failback/layout.ts";
import type { RecordedTasks } from "../../core/failback/recorded-tasks.ts";
import { completeDump } from "../backup/dump-store.ts";
import { writersCheck } from "../clean/untouched.ts";
import { requireProven } from "../clean/verdict.ts";
import { type Action, type ActionContext, check, passed } from "./action.ts";

/**
 * Decides how DMS goes on (invariants.md 28): `resume` while MongoDB's oplog holds every task's checkpoint, else
 * `reload`, which needs PROVEN and a complete dump of DocumentDB, because it loads every table anew.
 */
export const run: Action = async (context) => {
  const { service, failback, databases } = context;
  const verdict = await requireProven(service.store, failback.id, "resume DMS");
  const before: Check[] = [
    passed("verdict", "PROVEN", `PROVEN at ${verdict.takenAt}`),
    ...(await writersCheck(service, databases, failback.scope)),
  ];
  const checkpoints = await checkpointChecks(context);
  if (checkpoints.every(({ ok }) => ok)) {
    return {
      checks: [...before, ...checkpoints],
      data: { mode: "resume", why: "every checkpoint is in the oplog" },
    };
  }
  const why = checkpoints
    .filter(({ ok }) => !ok)
    .map(({ name, got }) => `${name}: ${got}`)
    .join("; ");
  const dump = await completeDump(service.store, failback.id, "documentdb");
  const dumped = check("complete dump of DocumentDB", dump !== undefined, {
    expected: "its manifest, because a reload replaces what DocumentDB holds",
    got: dump ? `${dump.bytes} bytes, finished ${dump.finishedAt}` : "none",
    wayOut: `start backup.service and wait for it, then run failback-resume again (reload is needed: ${why})`,
  });
  const reload = passed("DMS reloads", "resume is not possible", why);
  return { checks: [...before, reload, dumped], data: dump ? { mode: "reload", why } : {} };
};

async function checkpointChecks({ service, failback, databases }: ActionContext): Promise<Check[]> {
  const server = await databases.open("mongodb");
  const recorded = (await readJson<MongodbIdentity>(service.store, identityKey))?.value;
  const tasks =
    (await readJson<RecordedTasks>(service.store, failback.keys.replicationTasks))?.value.tasks ?? [];
  try {
    const { replicaSetId } = await replicaSetIdentity(server.client);
    const oplog = await oplogWindow(server.client);
    const same = check("identity of MongoDB", recorded?.replicaSetId === replicaSetId, {
      expected: `replica set ${recorded?.replicaSetId ?? "recorded in normal times"}`,
      got: replicaSetId,
      wayOut: "the set was built anew: DMS has to load every table again",
    });
    const found = tasks.map((task) => checkpointCheck(task, { oplog }));
    return found.length > 0
      ? [same, ...found]
      : [
          same,
          check("checkpoints of DMS", false, { expected: "recorded at start", got: "none", wayOut: "" }),
        ];
  } catch (error) {
    throw server.failure(error, "compare DMS's checkpoints with the oplog");
  }
}
