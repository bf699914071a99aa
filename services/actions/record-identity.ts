import { readCatalog } from "../../adapters/mongo/catalog.ts";
import { oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { MongodbIdentity } from "../../core/failback/documents.ts";
import { identityKey } from "../../core/failback/layout.ts";
import { type Action, passed } from "./action.ts";

/** Records who MongoDB is while all is well, so that a failback can tell it from another one (invariants.md 14). */
export const run: Action = async ({ service, databases, parameter }) => {
  const { client, failure } = await databases.open("mongodb");
  const names = parameter("databases").split(",");
  let identity: MongodbIdentity;
  try {
    const { setName, replicaSetId } = await replicaSetIdentity(client);
    if (!replicaSetId) throw noIdentity();
    const { first, last } = await oplogWindow(client);
    const now = service.clock.now();
    identity = {
      version: 1,
      setName,
      replicaSetId,
      recordedAt: now.toISOString(),
      firstOplog: first,
      lastOplog: last,
      catalog: await readCatalog(client, names, now),
    };
  } catch (error) {
    throw failure(error, "record the identity");
  }
  await writeJson(service.store, identityKey, identity);
  const collections = identity.catalog.collections.length;
  return {
    checks: [passed("identity of MongoDB recorded", `set ${identity.setName}, ${collections} collections`)],
    data: { setName: identity.setName, replicaSetId: identity.replicaSetId, collections },
  };
};

function noIdentity(): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: "record the identity of MongoDB",
    expected: "settings.replicaSetId in the set's configuration",
    got: "none",
    wayOut: "connect to a member of the replica set, not to a standalone server or a proxy",
  });
}
