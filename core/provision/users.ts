import { droppingEnvironments } from "../tasks/model.ts";
import type {
  Declared,
  ProvisionDifference,
  Provisioned,
  ProvisionItem,
  ProvisionStep,
  RoleOnDatabase,
} from "./model.ts";

/**
 * What DMS's user may do on DocumentDB: read and write the declared databases, nothing else. AWS DMS user guide: a
 * target user needs "read/write permissions only on the database to migrate"; `readWrite` creates and drops collections.
 */
export function replicationRoles(databases: readonly { readonly name: string }[]): RoleOnDatabase[] {
  return databases.map(({ name }) => ({ role: "readWrite", db: name })).sort(byName);
}

/** Steps for the user of the secret and for those that have retired. */
export function userDifference(declared: Declared, live: Provisioned): ProvisionDifference {
  const own = ownUser(declared, live);
  const retired = declared.retiredUsers
    .filter((user) => live.users.has(user))
    .map((user): ProvisionStep => ({ do: "drop-user", user }));
  return { ...own, steps: [...own.steps, ...retired] };
}

function ownUser({ user, environment, databases }: Declared, live: Provisioned): ProvisionDifference {
  const { name, want } = user;
  const roles = live.users.get(name);
  const item: ProvisionItem = { kind: "user", name };
  if (want === "removed") {
    if (!roles) return { steps: [], kept: [], unchanged: [] };
    if (droppingEnvironments.includes(environment)) {
      return { steps: [{ do: "drop-user", user: name }], kept: [], unchanged: [] };
    }
    const note = `no longer declared; ${environment} keeps its users`;
    return { steps: [], kept: [{ ...item, note }], unchanged: [] };
  }
  const wanted = replicationRoles(databases);
  if (!roles) {
    return { steps: [{ do: "create-user", user: name, roles: wanted }], kept: [], unchanged: [] };
  }
  const sameRoles = JSON.stringify(plain(roles)) === JSON.stringify(plain(wanted));
  if (sameRoles && live.passwordAccepted) return { steps: [], kept: [], unchanged: [item] };
  const step: ProvisionStep = {
    do: "update-user",
    user: name,
    password: !live.passwordAccepted,
    ...(sameRoles ? {} : { roles: wanted }),
  };
  return { steps: [step], kept: [], unchanged: [] };
}

function plain(roles: readonly RoleOnDatabase[]): RoleOnDatabase[] {
  return roles.map(({ role, db }) => ({ role, db })).sort(byName);
}

function byName(left: RoleOnDatabase, right: RoleOnDatabase): number {
  const [a, b] = [`${left.db}\0${left.role}`, `${right.db}\0${right.role}`];
  return a < b ? -1 : a > b ? 1 : 0;
}
