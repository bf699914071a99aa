import { oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { newestFence } from "../../adapters/state/fences.ts";
import { readJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check, Fence, MongodbIdentity } from "../../core/failback/documents.ts";
import { identityChecks } from "../../core/failback/identity.ts";
import { identityKey } from "../../core/failback/layout.ts";
import type { RecordedTasks } from "../../core/failback/recorded-tasks.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { Server } from "../access/databases.ts";
import { completeDump } from "../backup/dump-store.ts";
import { readClosing } from "../closing/closing.ts";
import { ttlOff } from "../closing/ttl.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";

export interface Ground {
  readonly fence: Fence;
  /** MongoDB is closed to writers since then: the tail ends here, and what others write behind it is foreign. */
  readonly blockTime: OperationTime;
  readonly recorded: MongodbIdentity | undefined;
}

/**
 * What must hold before the first apply (invariants.md 14–16): no gap in the log, a fence, MongoDB closed and proved so,
 * its dump complete, and it is the one that failed. Fails `refused` or `historyLost`, naming what does not hold.
 */
export async function checkGround(
  service: ServiceContext,
  failback: OpenFailback,
  mongodb: Server,
): Promise<Ground> {
  const { store } = service;
  await refuseGap(service, failback);
  const fence = await newestFence(store, failback.id);
  if (!fence) throw refused("a fence", "none", "run failback-restore: its drain step raises one");
  const closing = await readClosing(store, failback.id);
  if (!closing?.blockTime || closing.reopenedAt !== undefined) {
    const got = closing?.reopenedAt ? `reopened at ${closing.reopenedAt}` : "not closed, or not proved";
    throw refused("MongoDB closed to writers, proved", got, "run the step close-mongodb, then restore again");
  }
  if (!(await completeDump(store, failback.id, "mongodb"))) {
    const got = "no complete dump: its manifest is missing or its archive has another size";
    throw refused("a complete dump of MongoDB", got, "start backup.service and wait until it has finished");
  }
  const recorded = (await readJson<MongodbIdentity>(store, identityKey))?.value;
  for (const check of await identity(service, failback, mongodb, recorded)) {
    if (!check.ok) throw refused(`${check.name}: ${check.expected}`, check.got, check.wayOut ?? "");
  }
  // A member that was started anew has forgotten it.
  await ttlOff(mongodb);
  return { fence, blockTime: closing.blockTime, recorded };

  function refused(expected: string, got: string, wayOut: string): RoundtripError {
    return new RoundtripError({
      kind: "refused",
      what: `restore failback ${failback.id}`,
      expected,
      got,
      wayOut,
    });
  }
}

async function refuseGap({ store }: ServiceContext, { id, keys }: OpenFailback): Promise<void> {
  const gap = await readJson<{ got?: string; lastSequence?: number }>(store, keys.gap);
  if (!gap) return;
  const { lastSequence, got } = gap.value;
  throw new RoundtripError({
    kind: "historyLost",
    what: `restore failback ${id}`,
    expected: `no ${keys.gap}: a log without a gap`,
    got: `changes behind event ${lastSequence ?? "?"} were lost before they were read (${got ?? "no reason kept"})`,
    wayOut:
      "the restore never crosses a gap: recopy what DocumentDB holds (reseed), or give DocumentDB its writers back (failback-reopen)",
  });
}

async function identity(
  { store }: ServiceContext,
  { keys }: OpenFailback,
  mongodb: Server,
  recorded: MongodbIdentity | undefined,
): Promise<Check[]> {
  const tasks = (await readJson<RecordedTasks>(store, keys.replicationTasks))?.value.tasks ?? [];
  try {
    const found = { ...(await replicaSetIdentity(mongodb.client)), oplog: await oplogWindow(mongodb.client) };
    return identityChecks({ recorded, found, tasks });
  } catch (error) {
    throw mongodb.failure(error, "read MongoDB's identity");
  }
}
