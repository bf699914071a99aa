import { builtInWrites } from "../access/built-in-roles.ts";
import type { RoleReference } from "../access/principal.ts";
import { rolesInWords } from "../access/writers.ts";
import type { Environment } from "../failback/documents.ts";
import type { LiveSide, LiveUser } from "../live/live-state.ts";
import { listed } from "../plan/words.ts";
import type { Tasks } from "../tasks/model.ts";
import type { Finding } from "./model.ts";

type Read = Extract<LiveSide, { reachable: true }>;
type Users = Environment["documentdb"];

/**
 * Users of DocumentDB that are missing, can write although nobody lists them, or may do more than their part. While a
 * failback is open (`standsStill`) application users write on purpose, and who may is the failback's matter.
 */
export function userFindings(
  tasks: Tasks,
  users: Users,
  documentdb: Read,
  { standsStill }: { readonly standsStill: boolean },
): { readonly findings: readonly Finding[]; readonly notes: readonly string[] } {
  const present = new Map(documentdb.users.map((user) => [user.name, user]));
  const listedUsers: readonly (readonly [string, string])[] = [
    ...users.applicationUsers.map(({ name }) => [name, "application user"] as const),
    [users.replicationUser.name, "replication user of DMS"],
    ...users.otherWriters.map(({ name }) => [name, "listed writer"] as const),
  ];
  const findings = listedUsers
    .filter(([name]) => !present.has(name))
    .map(([name, part]) => missing(name, part));
  if (standsStill) return { findings, notes: [] };
  const databases = tasks.tasks.map(({ database }) => database);
  const replication = present.get(users.replicationUser.name);
  if (replication) findings.push(...replicationUser(replication, databases));
  for (const { name } of users.applicationUsers) {
    const through = writing(present.get(name));
    if (through.length > 0) findings.push(applicationUserWrites(name, through));
  }
  const known = new Set([...listedUsers.map(([name]) => name), ...users.administrators]);
  const unlisted = documentdb.users.filter(({ name }) => !known.has(name));
  for (const user of unlisted) {
    const through = writing(user);
    if (through.length > 0) findings.push(unlistedWriter(user.name, through));
  }
  return { findings, notes: unexplained(documentdb.users, users.administrators) };
}

/** Roles that are known to write. A custom role is no built-in one: what it may do isn't in an inspection. */
function writing(user: LiveUser | undefined): RoleReference[] {
  return (user?.roles ?? []).filter(({ role }) =>
    ["its-database", "everywhere"].includes(builtInWrites(role) ?? ""),
  );
}

function unexplained(all: readonly LiveUser[], administrators: readonly string[]): string[] {
  return all
    .filter(({ name }) => !administrators.includes(name))
    .flatMap(({ name, roles }) => {
      const custom = roles.filter(({ role }) => builtInWrites(role) === undefined);
      return custom.length > 0
        ? [`DocumentDB user ${name}: custom role ${rolesInWords(custom)}, not looked into`]
        : [];
    });
}

/** What create-user-db gives it: `readWrite` on the declared databases, and nothing else that writes. */
function replicationUser(user: LiveUser, databases: readonly string[]): Finding[] {
  const roles = writing(user);
  const everywhere = roles.some(({ role }) => ["readWriteAnyDatabase", "root"].includes(role));
  const own = new Set(
    roles.filter(({ role }) => ["readWrite", "dbOwner"].includes(role)).map(({ db }) => db),
  );
  const without = [...new Set(databases)].filter((database) => !everywhere && !own.has(database)).sort();
  const hasCustom = user.roles.some(({ role }) => builtInWrites(role) === undefined);
  const beyond = roles.filter(({ role, db }) => role !== "readWrite" || !databases.includes(db));
  const what = `DocumentDB user ${user.name}`;
  const findings: Finding[] = [];
  if (without.length > 0 && !hasCustom)
    findings.push({
      area: "documentdb",
      kind: "user-under-privileged",
      what,
      expected: "the right to write every database of tasks.yaml",
      got: `none on ${listed(without)}`,
      fix: "roundtrip apply: the create-user-db lambda grants it",
    });
  if (beyond.length > 0)
    findings.push({
      area: "documentdb",
      kind: "user-over-privileged",
      what,
      expected: "to write the databases of tasks.yaml and nothing else",
      got: rolesInWords(beyond),
      fix: "roundtrip apply: the create-user-db lambda gives it its own roles again",
    });
  return findings;
}

function applicationUserWrites(name: string, through: readonly RoleReference[]): Finding {
  return {
    area: "documentdb",
    kind: "user-over-privileged",
    what: `DocumentDB user ${name}`,
    expected:
      "to read only, because MongoDB is the source: what it writes here is in no log and DMS overwrites it",
    got: rolesInWords(through),
    fix: "make the application user read-only on DocumentDB; failback-start gives it its rights when they are needed",
  };
}

function unlistedWriter(name: string, through: readonly RoleReference[]): Finding {
  return {
    area: "documentdb",
    kind: "user-over-privileged",
    what: `DocumentDB user ${name}`,
    expected: "that only users the environment lists can write: a failback stops at any other",
    got: rolesInWords(through),
    fix: "revoke what writes, or list the user as other writer or administrator in the environment's tfvars",
  };
}

function missing(name: string, part: string): Finding {
  return {
    area: "documentdb",
    kind: "user-missing",
    what: `DocumentDB user ${name}`,
    expected: `the ${part}`,
    got: "no such user",
    fix: "roundtrip apply creates the replication user; create an application user as docs/users-and-secrets.md says",
  };
}
