/** Giving the application users their writes on DocumentDB (invariants.md 5). */
import { newestFence } from "../../adapters/state/fences.ts";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import { grantedRoles, writerPrivileges, writerRoleName } from "../../core/access/grant.ts";
import type { AccessControl, OpenWriterConnections } from "../../core/access/ports.ts";
import { readOnlyRoles } from "../../core/access/write-access.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { NamedUser, Scope } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { type Survey, scopeDatabases } from "./survey.ts";

const probeEveryMs = 100;
const allowedMsMax = 60_000;

export interface GrantOptions {
  readonly service: ServiceContext;
  readonly access: AccessControl;
  readonly openConnections: OpenWriterConnections;
  readonly scope: Scope;
  readonly survey: Survey;
  readonly allowRemove: boolean;
}

/**
 * Lets every application user of the scope find, insert and update, and remove when asked, and proves it with a
 * write that changes nothing. The grant is noted first, which makes earlier fences void.
 */
export async function grantWriters(options: GrantOptions): Promise<{ user: string; afterMs: number }[]> {
  const { service, access, scope, survey, allowRemove } = options;
  const databases = scopeDatabases(scope);
  const { failbackId } = scope;
  const roles = new RolesStore(service.store, failbackId);
  const principals = survey.principals.filter(({ user }) =>
    scope.applicationUsers.some(({ name }) => name === user),
  );
  const now = service.clock.now().toISOString();
  await roles.add(
    principals.map((principal) => ({
      side: "documentdb",
      user: principal.user,
      db: principal.db,
      roles: principal.roles,
      recordedAt: now,
    })),
  );
  // An abort or a clean that had begun has seen a log without what is written from now on.
  await service.store.delete([keysOf(failbackId).captureStopped]);
  const fencesBefore = (await newestFence(service.store, failbackId))?.number ?? 0;
  await roles.grant({ at: now, allowRemove, fencesBefore });
  if (!allowRemove) await access.putRole(writerRoleName(failbackId), writerPrivileges(databases));
  for (const principal of principals) {
    const readOnly = readOnlyRoles(principal, survey.customRoles, databases);
    await access.setRoles(principal, grantedRoles({ readOnly, databases, allowRemove, failbackId }));
  }
  const allowed: { user: string; afterMs: number }[] = [];
  for (const user of scope.applicationUsers) allowed.push(await proveAllowed(options, user));
  return allowed;
}

async function proveAllowed(
  { service, openConnections }: GrantOptions,
  user: NamedUser,
): Promise<{ user: string; afterMs: number }> {
  const { clock, signal } = service;
  const startedMs = clock.monotonicMs();
  const [connection] = await openConnections(user, 1);
  try {
    while (clock.monotonicMs() - startedMs < allowedMsMax) {
      if ((await connection?.probe()) === "allowed") {
        return { user: user.name, afterMs: Math.round(clock.monotonicMs() - startedMs) };
      }
      await clock.sleep(probeEveryMs, signal);
    }
  } finally {
    await connection?.close();
  }
  throw new RoundtripError({
    kind: "unavailable",
    what: `prove that application user ${user.name} can write on DocumentDB`,
    expected: `a write allowed within ${allowedMsMax / 1000} s of the grant`,
    got: "still refused",
    wayOut: `see the roles of ${user.name} on DocumentDB (show-access), then run the step again`,
  });
}
