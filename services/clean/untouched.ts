/** The second look of invariants.md 22: has anybody written to either side since the verdict? */
import { newestNumber, readManifests } from "../../adapters/log/manifests.ts";
import { readOplog } from "../../adapters/mongo/oplog.ts";
import { oplogWindow } from "../../adapters/mongo/replica-set.ts";
import { readJson } from "../../adapters/state/json.ts";
import { RestoreOrigins } from "../../adapters/state/restore-state.ts";
import { FenceWatch } from "../../core/drain/fence-watch.ts";
import type { Check, Fence, Scope, Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { compareTimes, timeInWords } from "../../core/failback/recorded-tasks.ts";
import { isForeign } from "../../core/oplog/foreign.ts";
import type { ObjectStore, OperationTime } from "../../core/ports.ts";
import { environmentNow } from "../access/current-users.ts";
import type { Databases } from "../access/databases.ts";
import { surveyDocumentdb, unlistedChecks } from "../access/survey.ts";
import { check, passed } from "../actions/action.ts";
import { readClosing } from "../closing/closing.ts";
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
  const from = fence.afterManifest ? { after: fence.afterManifest } : {};
  const through = await newestNumber(store, scope.failbackId);
  for await (const { manifest } of readManifests(store, scope.failbackId, { through, ...from }))
    watch.take(manifest);
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

/**
 * MongoDB's oplog holds no write of others in scope behind what restore had read of it. Only while MongoDB is closed:
 * afterwards its own applications write to it.
 */
export async function oplogCheck(store: ObjectStore, databases: Databases, scope: Scope): Promise<Check> {
  const name = "no foreign write on MongoDB since the verdict";
  const origins = await RestoreOrigins.open(store, scope.failbackId);
  const after = origins.readThrough ?? (await readClosing(store, scope.failbackId))?.blockTime;
  if (!after) {
    const wayOut = "run failback-restore again: it closes MongoDB and looks at its oplog";
    return check(name, false, { expected: "a time to look from", got: "MongoDB was never closed", wayOut });
  }
  const expected = `nothing of others in scope behind ${timeInWords(after)}`;
  const found = await firstForeign(databases, scope, origins, after);
  return check(name, !found, {
    expected,
    got: found ?? "nothing",
    wayOut: "the verdict no longer holds: find who wrote to MongoDB, then run failback-restore again",
  });
}

async function firstForeign(
  databases: Databases,
  scope: Scope,
  origins: RestoreOrigins,
  after: OperationTime,
): Promise<string | undefined> {
  const server = await databases.open("mongodb");
  const namespaces = scope.databases.flatMap(({ name, collections }) =>
    collections.map((collection) => `${name}.${collection}`),
  );
  try {
    const { first } = await oplogWindow(server.client);
    if (compareTimes(first, after) > 0) return `the oplog begins only at ${timeInWords(first)}`;
    const range = { after, namespaces, exceptSessions: [...origins.own.sessions] };
    for await (const operation of readOplog(server.client, range)) {
      if (isForeign(operation, origins.own)) {
        return `${operation.command ?? operation.kind} on ${operation.namespace} at ${timeInWords(operation.at)}`;
      }
    }
    return undefined;
  } catch (error) {
    throw server.failure(error, "look for writes since the verdict");
  }
}

/** Nobody but administrators can write in scope on DocumentDB. */
export async function writersCheck(
  service: ServiceContext,
  databases: Databases,
  scope: Scope,
): Promise<Check[]> {
  const { access } = await databases.open("documentdb");
  const survey = await surveyDocumentdb(access, await environmentNow(service), scope);
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
