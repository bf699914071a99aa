import { isClusterStreamOn, setClusterStream } from "../../adapters/mongo/change-stream-scopes.ts";
import { operationTime } from "../../adapters/mongo/replica-set.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import { isPrecondition } from "../../adapters/store-error.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { StartPoint } from "../../core/failback/documents.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { Server } from "../access/databases.ts";
import { type Action, type ActionFailback, check, passed } from "./action.ts";

/**
 * Switches change streams on for the cluster, sees that they are, and keeps the point from which capture starts:
 * read after the proof, stored before anything else, never moved by a rerun (invariants.md 3).
 */
export const run: Action = async ({ service, failback, databases }) => {
  const server = await databases.open("documentdb");
  const { store, clock } = service;
  const known = (await readJson<StartPoint>(store, failback.keys.startPoint))?.value;
  const wasOn = await ask(server, "list change streams", () => isClusterStreamOn(server.client));
  if (known && !wasOn) await refuseGap(new RolesStore(store, failback.id), failback);
  await ask(server, "enable change streams", () => setClusterStream(server.client, true));
  const isOn = await ask(server, "list change streams", () => isClusterStreamOn(server.client));
  const listed = check("change streams of the cluster", isOn, {
    expected: "$listChangeStreams to show the whole cluster",
    got: isOn ? "shown" : "not shown",
    wayOut:
      "give Roundtrip's user modifyChangeStreams on the cluster; elastic clusters have no change streams",
  });
  if (!isOn) return { checks: [listed], data: {} };
  const time =
    known?.operationTime ?? (await ask(server, "read the time", () => operationTime(server.client)));
  const startPoint: StartPoint = {
    version: 1,
    failbackId: failback.id,
    operationTime: time,
    recordedAt: clock.now().toISOString(),
  };
  const kept = known ?? (await keepFirst(store, failback, startPoint));
  return {
    checks: [
      listed,
      passed("start point kept in the bucket", failback.keys.startPoint, timeText(kept.operationTime)),
    ],
    data: { operationTime: kept.operationTime, recordedAt: kept.recordedAt },
  };
};

async function keepFirst(
  store: Parameters<typeof writeJson>[0],
  { keys }: ActionFailback,
  startPoint: StartPoint,
): Promise<StartPoint> {
  try {
    await writeJson(store, keys.startPoint, startPoint, { ifNoneMatch: true });
    return startPoint;
  } catch (error) {
    const first = isPrecondition(error) ? await readJson<StartPoint>(store, keys.startPoint) : undefined;
    if (!first) throw error;
    return first.value;
  }
}

/** Off although a start point is kept: what was written meanwhile is in no stream. Before the first grant nobody wrote. */
async function refuseGap(roles: RolesStore, failback: ActionFailback): Promise<void> {
  if ((await roles.read()).grants.length === 0) return;
  throw new RoundtripError({
    kind: "historyLost",
    what: `enable change streams again for failback ${failback.id}`,
    expected: "change streams on since the start point, because application users could write",
    got: "they were off: writes made meanwhile are in no stream",
    wayOut: "find who disabled them; the restore can't cross this gap, compare and recopy from DocumentDB",
  });
}

async function ask<T>(server: Server, what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw server.failure(error, what);
  }
}

function timeText({ t, i }: OperationTime): string {
  return `${t}:${i}`;
}
