import type { Declared, Provisioned, ProvisionStep, RoleOnDatabase } from "./model.ts";

/** A cluster in memory: each collection has a mark, so that a rename can be told from a drop and a creation. */
export interface ModelCluster {
  readonly databases: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly users: ReadonlyMap<string, readonly RoleOnDatabase[]>;
  readonly passwordAccepted: boolean;
}

/** What the lambda would read of it. */
export function liveOf({ databases, users, passwordAccepted }: ModelCluster): Provisioned {
  const named = [...databases].map(([name, collections]) => [name, new Set(collections.keys())] as const);
  return { databases: new Map(named), users, passwordAccepted };
}

/** Does one step as a server does: what it doesn't allow throws. */
export function applyStep(cluster: ModelCluster, step: ProvisionStep, { user }: Declared): ModelCluster {
  const databases = new Map([...cluster.databases].map(([name, all]) => [name, new Map(all)]));
  const users = new Map(cluster.users);
  const changed = { databases, users, passwordAccepted: cluster.passwordAccepted };
  if ("user" in step) {
    if (users.has(step.user) === (step.do === "create-user"))
      throw new Error(`can't ${step.do} ${step.user}`);
    if (step.do === "drop-user") users.delete(step.user);
    else if (step.roles) users.set(step.user, step.roles);
    if (step.user !== user.name) return changed;
    if (step.do === "drop-user") return { ...changed, passwordAccepted: false };
    return {
      ...changed,
      passwordAccepted: step.do === "create-user" || step.password || changed.passwordAccepted,
    };
  }
  applyToDatabases(databases, step);
  return changed;
}

function applyToDatabases(
  databases: Map<string, Map<string, number>>,
  step: Exclude<ProvisionStep, { readonly user: string }>,
): void {
  const all = databases.get(step.database);
  if (step.do === "create-collection") {
    if (step.createsDatabase === (all !== undefined)) throw new Error("createsDatabase is wrong");
    if (all?.has(step.collection)) throw new Error(`collection ${step.collection} exists`);
    databases.set(step.database, (all ?? new Map<string, number>()).set(step.collection, -1));
    return;
  }
  if (!all) throw new Error(`no database ${step.database}`);
  if (step.do === "drop-database") databases.delete(step.database);
  else if (step.do === "drop-collection") {
    if (!all.delete(step.collection)) throw new Error(`no collection ${step.collection}`);
  } else {
    const mark = all.get(step.from);
    if (mark === undefined || all.has(step.to)) throw new Error(`can't rename ${step.from}`);
    all.delete(step.from);
    all.set(step.to, mark);
  }
}
