/** Before MongoDB 6.0: its writers are closed out by taking their roles (invariants.md 15), and get them back (25). */
import { authenticatedUsers } from "../../adapters/mongo/write-block.ts";
import type { RolesStore } from "../../adapters/state/roles-store.ts";
import { isAdministrator } from "../../core/access/administrators.ts";
import type { CustomRole, Principal } from "../../core/access/principal.ts";
import { readOnlyRoles, writingRoles } from "../../core/access/write-access.ts";
import type { Server } from "../access/databases.ts";

export interface MongodbWriters {
  /** Can write in scope, and are no administrators: users of applications. */
  readonly writers: readonly Principal[];
  /** Can write in scope and keep their rights, Roundtrip's own user among them. */
  readonly administrators: readonly string[];
  readonly customRoles: readonly CustomRole[];
}

export async function surveyMongodb(
  { access, client }: Server,
  databases: readonly string[],
): Promise<MongodbWriters> {
  const own = await authenticatedUsers(client);
  const [principals, customRoles] = [await access.principals(), await access.customRoles()];
  const able = principals.filter((principal) => writingRoles(principal, customRoles, databases).length > 0);
  const keeps = (principal: Principal) => own.includes(principal.user) || isAdministrator(principal);
  return {
    writers: able.filter((principal) => !keeps(principal)),
    administrators: able.filter(keeps).map(({ user }) => user),
    customRoles,
  };
}

/** Keeps everybody's roles in `roles.json`, then makes them readers. */
export async function revokeWriters(
  server: Server,
  roles: RolesStore,
  { writers, customRoles }: MongodbWriters,
  databases: readonly string[],
  recordedAt: string,
): Promise<void> {
  await roles.add(
    writers.map(({ user, db, roles: held }) => ({ side: "mongodb", user, db, roles: held, recordedAt })),
  );
  for (const writer of writers) {
    await server.access.setRoles(writer, readOnlyRoles(writer, customRoles, databases));
  }
}

/** Gives every user of MongoDB back what `roles.json` says. */
export async function returnWriters(server: Server, roles: RolesStore): Promise<string[]> {
  const recorded = (await roles.read()).users.filter(({ side }) => side === "mongodb");
  for (const user of recorded) await server.access.setRoles(user, user.roles);
  return recorded.map(({ user }) => user);
}
