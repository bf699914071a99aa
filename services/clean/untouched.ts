/** The second look of failback.md 22: has anybody written to either side since the verdict? */
import { newestNumber, readManifests } from "../../adapters/log/manifests.ts";
import { type ForeignWrite, firstWriteAfter } from "../../adapters/mongo/foreign-writes.ts";
import { readJson } from "../../adapters/state/json.ts";
import { FenceWatch } from "../../core/drain/fence-watch.ts";
import type { Check, Fence, Scope, Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore, OperationTime } from "../../core/ports.ts";
import type { Databases } from "../access/databases.ts";
import { surveyDocumentdb, unlistedChecks } from "../access/survey.ts";
import { check, passed } from "../actions/action.ts";
import type { ServiceContext } from "../runtime/definition.ts";

/** The log holds no application write behind the verdict's fence. */
export async function logCheck(store: ObjectStore, scope: Scope, verdict: Verdict): Promise<Check> {
  const name = "no write on DocumentDB behind the fence";
  const key = keysOf(scope.failbackId).fence(verdict.fence);
  const fence = (await readJson<Fence>(store, key))?.value;
  if (!fence) {
    return check(name, false, { expected: key, got: "no such object", wayOut: "run failback-restore again" });
  }
  const watch = new FenceWatch(fence.sentinelId);
  const through = await newestNumber(store, scope.failbackId);
  for await (const { manifest } of readManifests(store, scope.failbackId, { through })) watch.take(manifest);
  return check(name, watch.drained, {
    expected: `nothing in scope behind sentinel ${fence.sentinelId}, through manifest ${through}`,
    got: watch.breach
      ? `a write to ${watch.breach.namespace} at sequence ${watch.breach.sequence}`
      : watch.sentinelSequence === undefined
        ? "the sentinel is not in the log"
        : "nothing",
    wayOut: "the verdict no longer holds: find who wrote, then failback-reopen and failback-restore again",
  });
}

/** MongoDB's oplog holds nothing in scope behind the verdict. Only while MongoDB is closed. */
export async function oplogCheck(databases: Databases, scope: Scope, verdict: Verdict): Promise<Check> {
  const server = await databases.open("mongodb");
  const after = timeOf(verdict);
  let found: ForeignWrite | undefined;
  try {
    found = await firstWriteAfter(server.client, scope, after);
  } catch (error) {
    throw server.failure(error, "look for writes since the verdict");
  }
  return check("no write on MongoDB since the verdict", !found, {
    expected: `nothing in scope in the oplog behind ${after.t}:${after.i}`,
    got: found ? `${found.operation} on ${found.namespace} at ${found.at.t}:${found.at.i}` : "nothing",
    wayOut: "the verdict no longer holds: find who wrote to MongoDB, then run failback-restore again",
  });
}

/** Nobody but administrators can write in scope on DocumentDB. */
export async function writersCheck(
  service: ServiceContext,
  databases: Databases,
  scope: Scope,
): Promise<Check[]> {
  const { access } = await databases.open("documentdb");
  const survey = await surveyDocumentdb(access, service.environment, scope);
  const writers = survey.listed.map(({ principal }) => principal.user);
  if (writers.length === 0)
    return [passed("users on DocumentDB read only", "no listed user can write"), ...unlistedChecks(survey)];
  return [
    check("users on DocumentDB read only", false, {
      expected: "no listed user can write",
      got: `${writers.join(", ")} can`,
      wayOut: "the verdict no longer holds: failback-reopen, then failback-restore again",
    }),
    ...unlistedChecks(survey),
  ];
}

/** Without the server's own time the host's, a second later: entries of the second itself are restore's. */
function timeOf(verdict: Verdict): OperationTime {
  return verdict.mongodbTime ?? { t: Math.ceil(Date.parse(verdict.takenAt) / 1000), i: 0 };
}
