import { RoundtripError } from "../errors.ts";
import type { Tasks } from "../tasks/model.ts";
import { databaseBytesMax, namespaceBytesMax, reservedDatabases } from "../tasks/names.ts";
import type { Declared, DeclaredCollection, DeclaredDatabase, ProvisionRequest } from "./model.ts";

/** The databases of `tasks.yaml` as a request names them: each once, whatever the number of its tasks. */
export function declaredDatabases({ tasks }: Pick<Tasks, "tasks">): DeclaredDatabase[] {
  const byName = new Map<string, DeclaredCollection[]>();
  for (const { database, collections } of tasks) {
    const named = collections.map(({ name, renamedFrom }) =>
      renamedFrom ? { name, renamedFrom } : { name },
    );
    byName.set(database, [...(byName.get(database) ?? []), ...named]);
  }
  return [...byName].map(([name, collections]) => ({ name, collections }));
}

export interface RequestFacts {
  /** The environment the function belongs to, from its own configuration. */
  readonly environment: string;
  /** The user name of the secret. */
  readonly user: string;
  /** Users that are never dropped: the cluster's master. */
  readonly protectedUsers: readonly string[];
}

/**
 * What a request by the schema wants. Fails `refused` where it contradicts the function or itself: another environment,
 * a database or collection twice, reserved or overlong names, a retired user that is in use.
 */
export function declaredBy(request: ProvisionRequest, facts: RequestFacts): Declared {
  if (request.environment !== facts.environment) {
    throw refusal(
      "environment",
      facts.environment,
      request.environment,
      "call the function of that environment",
    );
  }
  if (request.previous && request.tf) {
    throw refusal(
      "previous",
      "nothing beside tf",
      "both",
      "leave previous out: Terraform sends tf.prev_input",
    );
  }
  for (const user of request.retiredUsers ?? []) {
    if (user === facts.user || facts.protectedUsers.includes(user)) {
      const wayOut = "name a user nothing uses any more; the master user and the secret's own stay";
      throw refusal("retiredUsers", "former names of the DMS user", user, wayOut);
    }
  }
  const databases = request.databases.map(normalised);
  assertNames(databases);
  const removing = request.tf?.action === "delete";
  const previous = previousOf(request, databases);
  return {
    environment: facts.environment,
    databases: removing ? [] : databases,
    ...(previous ? { previous } : {}),
    user: { name: facts.user, want: removing ? "removed" : "present" },
    retiredUsers: request.retiredUsers ?? [],
  };
}

/** On Terraform's delete everything declared goes; on update what the last input had; on create nothing is known. */
function previousOf(request: ProvisionRequest, databases: Declared["databases"]): Declared["previous"] {
  const names = (from: Declared["databases"]) =>
    from.map(({ name, collections }) => ({ name, collections: collections.map((each) => each.name) }));
  if (!request.tf) {
    if (!request.previous) return undefined;
    const previous = request.previous.map(normalised);
    assertNames(previous);
    return names(previous);
  }
  if (request.tf.action === "delete") return names(databases);
  if (request.tf.action === "create" || !request.tf.prev_input) return undefined;
  const previous = request.tf.prev_input.databases.map(normalised);
  assertNames(previous);
  return names(previous);
}

function normalised({ name, collections }: DeclaredDatabase): Declared["databases"][number] {
  return {
    name,
    collections: collections.map(
      (each): DeclaredCollection => (typeof each === "string" ? { name: each } : each),
    ),
  };
}

function assertNames(databases: Declared["databases"]): void {
  const wayOut = "correct tasks.yaml: `roundtrip validate` says where";
  assertOnce(
    databases.map(({ name }) => name.toLowerCase()),
    "databases",
  );
  for (const { name: database, collections } of databases) {
    if (reservedDatabases.includes(database.toLowerCase())) {
      throw refusal("databases", "databases of applications", database, wayOut);
    }
    if (bytesOf(database) > databaseBytesMax) {
      throw refusal("databases", `names of at most ${databaseBytesMax} bytes`, database, wayOut);
    }
    const names = collections.map(({ name }) => name);
    assertOnce(names, `collections of ${database}`);
    assertOnce(
      collections.flatMap(({ renamedFrom }) => renamedFrom ?? []),
      `renamedFrom of ${database}`,
    );
    for (const { name, renamedFrom } of collections) {
      if (bytesOf(`${database}.${name}`) > namespaceBytesMax) {
        throw refusal(
          `collections of ${database}`,
          `at most ${namespaceBytesMax} bytes with the database`,
          name,
          wayOut,
        );
      }
      if (renamedFrom !== undefined && names.includes(renamedFrom)) {
        throw refusal(`renamedFrom of ${database}.${name}`, "a name that is gone", renamedFrom, wayOut);
      }
    }
  }
}

function assertOnce(names: readonly string[], where: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw refusal(
    where,
    "each name once",
    `${twice} twice`,
    "correct tasks.yaml: `roundtrip validate` says where",
  );
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function refusal(where: string, expected: string, got: string, wayOut: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `read ${where} of the request to create-user-db`,
    expected,
    got: JSON.stringify(got),
    wayOut,
  });
}
