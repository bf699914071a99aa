import { readCatalog } from "../../adapters/mongo/catalog.ts";
import { oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { MongodbIdentity } from "../../core/failback/documents.ts";
import { identityKey } from "../../core/failback/layout.ts";
import type { Server } from "../access/databases.ts";
import { type Action, passed } from "./action.ts";

/** Records who MongoDB is while all is well, so that a failback can tell it from another one (invariants.md 14). */
export const run: Action = async ({ service, databases, parameter }) => {
  const server = await databases.open("mongodb");
  const identity = await readIdentity(server, parameter("databases").split(","), service.clock.now());
  await writeJson(service.store, identityKey, identity);
  const collections = identity.catalog.collections.length;
  return {
    checks: [passed("identity of MongoDB recorded", `set ${identity.setName}, ${collections} collections`)],
    data: { setName: identity.setName, replicaSetId: identity.replicaSetId, collections },
  };
};

/** Who MongoDB is now: set, oplog, and the catalog of the databases. Fails as the server does, by its name. */
export async function readIdentity(
  { client, failure }: Server,
  databases: readonly string[],
  now: Date,
): Promise<MongodbIdentity> {
  try {
    const { setName, replicaSetId } = await replicaSetIdentity(client);
    if (!replicaSetId) throw noIdentity();
    const { first, last } = await oplogWindow(client);
    return {
      version: 1,
      setName,
      replicaSetId,
      recordedAt: now.toISOString(),
      firstOplog: first,
      lastOplog: last,
      catalog: await readCatalog(client, databases, now),
    };
  } catch (error) {
    throw failure(error, "record the identity");
  }
}

function noIdentity(): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: "record the identity of MongoDB",
    expected: "settings.replicaSetId in the set's configuration",
    got: "none",
    wayOut: "connect to a member of the replica set, not to a standalone server or a proxy",
  });
}
