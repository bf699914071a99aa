/** Closing MongoDB to writers before the first apply (invariants.md 15), and opening it again after PROVEN (25). */

import { createProbeUser, type ProbeUser } from "../../adapters/mongo/probe-user.ts";
import { operationTime } from "../../adapters/mongo/replica-set.ts";
import { hasUserWriteBlock, setUserWriteBlock } from "../../adapters/mongo/write-block.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { MongodbClosing, Scope } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { Server } from "../access/databases.ts";
import { scopeDatabases } from "../access/survey.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { applyTtl, readTtl } from "./ttl.ts";
import { returnWriters, revokeWriters, surveyMongodb } from "./writers.ts";

const probeEveryMs = 100;
const proofMsMax = 120_000;

export interface ClosingOutcome {
  readonly closing: MongodbClosing;
  /** How long after the change the probe user's write was answered as wanted. */
  readonly provedAfterMs: number;
  /** Users that can still write: they run the server. */
  readonly administrators: readonly string[];
}

/** How MongoDB stands, by this failback's record. */
export async function readClosing(
  store: ServiceContext["store"],
  failbackId: string,
): Promise<MongodbClosing | undefined> {
  return (await readJson<MongodbClosing>(store, keysOf(failbackId).closing))?.value;
}

/**
 * Closes MongoDB and proves it by a refused write of a user made for it. What is needed to open it again is kept
 * first. A rerun proves again and keeps the first block time: behind it the oplog holds restore's own writes.
 */
export async function closeMongodb(
  service: ServiceContext,
  server: Server,
  scope: Scope,
): Promise<ClosingOutcome> {
  return withProbeUser(service, server, scope, async (probe) => {
    const { client } = server;
    const databases = scopeDatabases(scope);
    const before = await readClosing(service.store, scope.failbackId);
    const known = before && !before.reopenedAt ? before : undefined;
    const blocks = known ? known.method === "user-write-block" : await hasUserWriteBlock(client);
    const started: MongodbClosing = known ?? {
      version: 1,
      failbackId: scope.failbackId,
      method: blocks ? "user-write-block" : "roles",
      ttl: await readTtl(client),
    };
    if (!known) await keep(service, started);
    const survey = await surveyMongodb(server, databases);
    if (blocks) await setUserWriteBlock(client, true);
    else {
      const roles = new RolesStore(service.store, scope.failbackId);
      await revokeWriters(server, roles, survey, databases, service.clock.now().toISOString());
      await probe.revoke();
    }
    const provedAfterMs = await prove(service, probe, "refused");
    await applyTtl(client, false);
    const closing: MongodbClosing = started.closedAt
      ? started
      : { ...started, blockTime: await operationTime(client), closedAt: service.clock.now().toISOString() };
    if (!started.closedAt) await keep(service, closing);
    return { closing, provedAfterMs, administrators: survey.administrators };
  });
}

/** Opens MongoDB: write block off or roles back, TTL deletion as it was, proved by a write that goes through. */
export async function reopenMongodb(
  service: ServiceContext,
  server: Server,
  scope: Scope,
): Promise<ClosingOutcome> {
  const closing = await readClosing(service.store, scope.failbackId);
  if (!closing) throw neverClosed(scope);
  return withProbeUser(service, server, scope, async (probe) => {
    const { client } = server;
    if (closing.method === "user-write-block") await setUserWriteBlock(client, false);
    else await returnWriters(server, new RolesStore(service.store, scope.failbackId));
    const provedAfterMs = await prove(service, probe, "allowed");
    await applyTtl(client, closing.ttl);
    const reopened = { ...closing, reopenedAt: closing.reopenedAt ?? service.clock.now().toISOString() };
    if (!closing.reopenedAt) await keep(service, reopened);
    return { closing: reopened, provedAfterMs, administrators: [] };
  });
}

async function withProbeUser(
  service: ServiceContext,
  server: Server,
  scope: Scope,
  run: (probe: ProbeUser) => Promise<ClosingOutcome>,
): Promise<ClosingOutcome> {
  const secretName = service.environment.mongodb.secret;
  try {
    const secret = await service.secrets.get(secretName);
    const options = { secretName, failbackId: scope.failbackId };
    await using probe = await createProbeUser(server.client, secret, options);
    return await run(probe);
  } catch (error) {
    throw server.failure(error, "open or close MongoDB to writers");
  }
}

async function prove(
  { clock, signal, alive }: ServiceContext,
  probe: ProbeUser,
  wanted: "allowed" | "refused",
): Promise<number> {
  const startedMs = clock.monotonicMs();
  while (clock.monotonicMs() - startedMs < proofMsMax) {
    if ((await probe.write()) === wanted) return Math.round(clock.monotonicMs() - startedMs);
    alive();
    await clock.sleep(probeEveryMs, signal);
  }
  throw new RoundtripError({
    kind: "unavailable",
    what: "prove who may write to MongoDB",
    expected: `a write of user ${probe.name} to be ${wanted} within ${proofMsMax / 1000} s`,
    got: wanted === "refused" ? "still allowed" : "still refused",
    wayOut: "see serverStatus().repl.userWriteBlockMode, or the users' roles, then run the step again",
  });
}

async function keep({ store }: ServiceContext, closing: MongodbClosing): Promise<void> {
  await writeJson(store, keysOf(closing.failbackId).closing, closing);
}

function neverClosed(scope: Scope): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `reopen MongoDB for failback ${scope.failbackId}`,
    expected: keysOf(scope.failbackId).closing,
    got: "no such object: this failback never closed MongoDB",
    wayOut: "nothing is to be done; if MongoDB refuses writes, somebody else blocked them",
  });
}
