/** The fence of invariants.md 12: nobody can write, nothing is in flight, and then a sentinel goes through the log. */
import { randomBytes } from "node:crypto";
import { headOf, newestManifest } from "../../adapters/log/manifests.ts";
import { addFence, newestFence } from "../../adapters/state/fences.ts";
import { grantedRoles } from "../../core/access/grant.ts";
import { fencesVoidThrough } from "../../core/access/roles-record.ts";
import { readOnlyRoles, writingRoles } from "../../core/access/write-access.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Environment, Fence, NamedUser, Scope } from "../../core/failback/documents.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { type DemotionDependencies, demoteUsers, type Refusal } from "../access/demote.ts";
import { awaitNothingInFlight } from "../access/in-flight.ts";
import {
  listedWriters,
  type Survey,
  scopeDatabases,
  surveyDocumentdb,
  unlistedChecks,
} from "../access/survey.ts";

/** Two drains at once, and no more tries than that. */
const numberTriesMax = 5;

export interface FenceDependencies extends DemotionDependencies {
  readonly store: ObjectStore;
  readonly environment: Environment;
  readonly scope: Scope;
  readonly killOperations: boolean;
  /** Writes the sentinel and returns when a majority of DocumentDB holds it. */
  writeSentinel(id: string): Promise<void>;
}

export interface RaisedFence {
  readonly fence: Fence;
  /** True when an earlier fence still stands and nothing was written. */
  readonly reused: boolean;
  readonly inFlight: { readonly waitedMs: number; readonly killed: number };
}

/**
 * Takes the application users' writes, proves it on connections opened before, waits for what is in flight, writes
 * the sentinel and keeps the fence. A standing fence is kept when everybody is still read-only; one that the log
 * showed to be broken (`brokenFence`) is followed by another. Fails `refused` by name when an unlisted user can write.
 */
export async function raiseFence(deps: FenceDependencies, brokenFence?: number): Promise<RaisedFence> {
  const { store, scope } = deps;
  const databases = scopeDatabases(scope);
  let survey = await surveyDocumentdb(deps.access, deps.environment, scope);
  refuseUnlisted(survey);
  const record = await deps.roles.read();
  const newest = await newestFence(store, scope.failbackId);
  const standing = newest && newest.number > Math.max(fencesVoidThrough(record), brokenFence ?? 0);
  const lastGrant = record.grants.at(-1);
  if (!standing && brokenFence === undefined && lastGrant) {
    survey = await renewRights(deps, survey, lastGrant.allowRemove, databases);
  }
  const users = usersToProve(deps, survey, standing ? newest : undefined);
  const refusals = await demoteUsers(deps, survey, users, databases);
  const inFlight = await awaitNothingInFlight({
    ...deps,
    users: listedWriters(deps.environment, scope).map(({ name }) => name),
    databases,
    kill: deps.killOperations,
  });
  if (standing && survey.listed.length === 0) return { fence: newest, reused: true, inFlight };
  return { fence: await writeFence(deps, refusals), reused: false, inFlight };
}

/**
 * A drain that was killed between demotion and fence left users read-only without a proof on connections opened
 * before. They get their rights back for the moment it takes to open such connections; what they write meanwhile
 * lies before the sentinel and is captured.
 */
async function renewRights(
  deps: FenceDependencies,
  survey: Survey,
  allowRemove: boolean,
  databases: readonly string[],
): Promise<Survey> {
  const readers = survey.principals.filter(
    (principal) =>
      deps.scope.applicationUsers.some(({ name }) => name === principal.user) &&
      writingRoles(principal, survey.customRoles, databases).length === 0,
  );
  if (readers.length === 0) return survey;
  const { failbackId } = deps.scope;
  for (const principal of readers) {
    const readOnly = readOnlyRoles(principal, survey.customRoles, databases);
    await deps.access.setRoles(principal, grantedRoles({ readOnly, databases, allowRemove, failbackId }));
    deps.logger.info(
      { user: principal.user },
      "rights renewed to prove their end on connections opened before",
    );
  }
  return surveyDocumentdb(deps.access, deps.environment, deps.scope);
}

/** Everybody who can write now; and for a new fence every application user, so that its proof names them all. */
function usersToProve(deps: FenceDependencies, survey: Survey, standing: Fence | undefined): NamedUser[] {
  const { environment, scope } = deps;
  const canWrite = new Set(survey.listed.map(({ principal }) => principal.user));
  const application = new Set(standing ? [] : scope.applicationUsers.map(({ name }) => name));
  return listedWriters(environment, scope).filter(({ name }) => canWrite.has(name) || application.has(name));
}

async function writeFence(deps: FenceDependencies, refusals: readonly Refusal[]): Promise<Fence> {
  const { store, clock, scope } = deps;
  for (let attempt = 1; attempt <= numberTriesMax; attempt++) {
    const number = ((await newestFence(store, scope.failbackId))?.number ?? 0) + 1;
    const before = await newestManifest(store, scope.failbackId);
    const sentinelId = `sentinel-${scope.failbackId}-${number}-${randomBytes(6).toString("hex")}`;
    await deps.writeSentinel(sentinelId);
    const fence: Fence = {
      version: 1,
      failbackId: scope.failbackId,
      number,
      sentinelId,
      writtenAt: clock.now().toISOString(),
      refusals,
      ...(before ? { afterManifest: headOf(before) } : {}),
    };
    if (await addFence(store, fence)) return fence;
  }
  throw new RoundtripError({
    kind: "fenced",
    what: `raise a fence for failback ${scope.failbackId}`,
    expected: `a free number within ${numberTriesMax} tries`,
    got: "each was taken by another drain",
    wayOut: "see what else drains this failback, stop it, then run drain again",
  });
}

function refuseUnlisted(survey: Survey): void {
  const failed = unlistedChecks(survey).filter((check) => !check.ok);
  if (failed.length === 0) return;
  throw new RoundtripError({
    kind: "refused",
    what: "raise the fence",
    expected: failed[0]!.expected,
    got: failed.map((check) => check.got).join("; "),
    wayOut: failed.map((check) => check.wayOut).join("; "),
  });
}
